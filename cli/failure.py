"""The error that ends a command with a message."""

from typing import IO, Any

import click


class Failure(click.ClickException):
    """Ends the command, printing each line of the message as an error."""

    def show(self, file: IO[Any] | None = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"error: {line}", file=file, err=True)
