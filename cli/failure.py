"""What the user is told where a command fails."""

from typing import IO, Any

import click


class Failure(click.ClickException):
    """What the user is told, a line each."""

    def show(self, file: IO[Any] | None = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"error: {line}", file=file, err=True)
