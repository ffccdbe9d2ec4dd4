"""The commands `predictq models remove` and `keep-latest`, which also remove ghosts."""

import sys
from pathlib import Path

import click

from cli import find_stack, ghosts
from cli.failure import Failure
from cli.models.causes import cause_of, why_option
from registry.changes import Changes
from registry.names import parse_reference
from registry.removing.removing import Removed
from registry.store import Registry
from telemetry.errors import Invalid
from workers.environments.unused import remove_unused


@click.command()
@click.argument("model")
@click.option("--force", is_flag=True, help="Also remove aliases and shadows that need it.")
@why_option
@find_stack.for_registry
def remove(model: str, force: bool, why: str, home: Path) -> None:
    """Remove MODEL: one version (name:version), or all of them (name)."""
    reference, registry = parse_reference(model), Registry(home)
    if reference.alias:
        raise Invalid(f"name the version to remove as {reference.name}:N, not by an alias")
    registry.named(model)  # raises an error if there is none
    changes = Changes(registry)
    if not force and (uses := changes.uses(reference.name, reference.version)):
        _ask(model, uses)
    removed = changes.remove(reference.name, reference.version, cause=cause_of(why))
    _report(home, reference.name, removed)


@click.command()
@click.argument("name")
@click.argument("count", type=click.IntRange(min=1))
@find_stack.for_registry
def keep_latest(name: str, count: int, home: Path) -> None:
    """Keep the COUNT newest versions of NAME, and those that are in use."""
    registry = Registry(home)
    _report(home, name, Changes(registry).keep_latest(name, count, cause_of()))
    kept = ", ".join(str(manifest.version) for manifest in registry.versions(name))
    click.echo(f"kept {name}: {kept}")


def _report(home: Path, name: str, removed: Removed) -> None:
    """Print what was removed, and remove it from Redis."""
    for version in removed.versions:
        click.echo(f"removed {name}:{version}")
    for alias in removed.aliases:
        click.echo(f"removed alias {name}@{alias}, which pointed there")
    for directory in remove_unused(home):
        click.echo(f"removed the environment {directory}, which no version needs")
    ghosts.remove_ghosts(
        ghosts.redis_of(home), [f"{name}:{version}" for version in removed.versions]
    )


def _ask(model: str, uses: list[str]) -> None:
    why = f"what would be removed is in use: {', '.join(uses)}"
    if not sys.stdin.isatty():
        raise Failure(f"{why}; to remove {model} all the same, give --force")
    click.confirm(f"{why}. Remove {model} all the same?", abort=True, err=True)
