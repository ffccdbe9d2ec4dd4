"""The commands `predictq backup` and `predictq restore`."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from cli import find_stack
from cli.backups.making import make_backup
from cli.backups.restoring import restore_backup
from cli.failure import Failure
from stack.running import running_stack


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@find_stack.for_registry
def backup(file: Path, home: Path) -> None:
    """Write all state of a running stack to FILE: Redis's data, models, jobs and keys.

    The stack keeps serving. Changes of the registry wait while its files are read.
    """
    stack = running_stack(home)
    if stack is None:
        raise Failure(f"no stack runs on {home}: start it, so that Redis can be asked for its data")
    target = file.expanduser().absolute()
    try:
        make_backup(home, stack.redis_url, target, click.echo)
    except OSError as error:
        raise Failure(f"the backup cannot be written: {error}") from error
    click.echo(f"wrote {target}; it contains the keys of the home: protect it like the keys")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--home",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Home to create. It must not exist, or must be empty.",
)
def restore(file: Path, home: Path) -> None:
    """Create a home from a backup. Start it with `predictq up --home`."""
    if os.environ.get("REDIS_URL"):
        raise Failure("REDIS_URL is set: this restores the Redis of a home, which that one is not")
    made = home.expanduser().absolute()
    note = restore_backup(file, made)
    when = datetime.fromtimestamp(note.made_at, UTC).isoformat(timespec="seconds")
    click.echo(f"restored {made} as it was at {when}; start it with: predictq up --home {made}")
