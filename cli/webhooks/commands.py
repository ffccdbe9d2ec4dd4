"""The `webhooks` commands: the secret by which receivers check that events are this stack's."""

from pathlib import Path

import click

from cli import find_stack
from tasks.webhooks.signing import make_another_secret, webhook_secrets


@click.group()
def webhooks() -> None:
    """Show and rotate the secret that events for webhooks are signed with."""


@webhooks.command()
@find_stack.for_registry
def secret(home: Path) -> None:
    """Print the secret; receivers check events with it."""
    click.echo(webhook_secrets(home)[0])


@webhooks.command("rotate")
@find_stack.for_registry
def rotate_secret(home: Path) -> None:
    """Make and print a new secret; until the next rotation the one before it signs, too."""
    click.echo(make_another_secret(home))
