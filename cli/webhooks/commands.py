"""The `webhooks` commands: the secret by which receivers check that events are this stack's."""

from pathlib import Path

import click

from cli import find_stack
from tasks.webhooks.signing import make_another_secret, webhook_secrets


@click.group()
def webhooks() -> None:
    """Show or rotate the secret that signs webhook events."""


@webhooks.command()
@find_stack.for_registry
def secret(home: Path) -> None:
    """Print the secret with which receivers verify events."""
    click.echo(webhook_secrets(home)[0])


@webhooks.command("rotate")
@find_stack.for_registry
def rotate_secret(home: Path) -> None:
    """Make and print a new secret. The previous one also signs until the next rotation."""
    click.echo(make_another_secret(home))
