"""The `console` command: prints a one-time address of the console."""

from pathlib import Path
from urllib.parse import urlsplit

import click

from cli import find_stack
from cli.failure import Failure
from stack.running import running_stack
from stack.sign_in import sign_in_address


@click.command()
@find_stack.for_registry
def console(home: Path) -> None:
    """Print an address that signs a browser in to the console, once, within an hour."""
    stack = running_stack(home)
    if stack is None:
        raise Failure(f"no stack runs on {home}; start it with: predictq up")
    click.echo(sign_in_address(home, stack.url, urlsplit(stack.url).port or 80))
