"""The `predictq` command: what users type."""

from importlib import import_module
from typing import ClassVar

import click


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for.

    `models` imports scikit-learn, which takes seconds; `up` and `predict` must not wait for it.
    """

    places: ClassVar = {
        "batch": "cli.batch.commands:batch",
        "dead-letters": "cli.dead_letters.commands:dead_letters",
        "models": "cli.models.commands:models",
        "predict": "cli.predict.command:predict",
        "prove": "cli.prove:prove",
        "restart": "cli.restart:restart",
        "test": "cli.test:check",
        "up": "cli.up:up",
    }

    def list_commands(self, _context: click.Context) -> list[str]:
        return sorted(self.places)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in self.places:
            return None
        module, _, attribute = self.places[name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="predictq")
def main() -> None:
    """Asynchronous predictions for scikit-learn models, over Celery and Redis."""


if __name__ == "__main__":
    main()
