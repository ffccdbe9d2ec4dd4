"""A group of commands that are imported when they are asked for, not to be listed in its help."""

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar, NamedTuple

import click


class Place(NamedTuple):
    """Where a command is, and the beginning of its help."""

    path: str
    """``module:attribute``."""
    help: str


class LazyGroup(click.Group):
    """A group that knows of some commands where they are.

    Some import scikit-learn, which takes seconds; neither the others nor the help must wait for it.
    """

    places: ClassVar[Mapping[str, Place]]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        return sorted([*super().list_commands(ctx), *self.places])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself."""
        if cmd_name not in self.places:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.places[cmd_name].path.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands as click does, of those elsewhere what is known of them here."""
        elsewhere = {
            name: click.Command(name, help=place.help) for name, place in self.places.items()
        }
        click.Group(commands={**self.commands, **elsewhere}).format_commands(ctx, formatter)
