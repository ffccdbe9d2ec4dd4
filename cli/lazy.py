"""A command group that imports its commands only when they are run, not for its help."""

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar, NamedTuple

import click


class LazyCommand(NamedTuple):
    """The location of a command, and the first paragraph of its help."""

    path: str
    """``module:attribute``."""
    help: str


class LazyGroup(click.Group):
    """A click group with lazily imported commands.

    Some commands import scikit-learn, which takes seconds; the other commands and the help must not
    wait for it.
    """

    lazy_commands: ClassVar[Mapping[str, LazyCommand]]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names, sorted."""
        return sorted([*super().list_commands(ctx), *self.lazy_commands])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in self.lazy_commands:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.lazy_commands[cmd_name].path.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands like click, lazy ones with the help known here."""
        elsewhere = {
            name: click.Command(name, help=command.help)
            for name, command in self.lazy_commands.items()
        }
        click.Group(commands={**self.commands, **elsewhere}).format_commands(ctx, formatter)
