"""The `predictq models add` command: register a file, and see that the running stack serves it."""

import json
from pathlib import Path
from typing import Any

import click

from cli.models import home_option
from cli.serving import running_stack, wait_until_served
from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import Invalid
from workers.registration import describe


@click.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--version", type=click.IntRange(min=1), help="Version number [default: the next].")
@click.option("--alias", help="Alias to point to this version.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="A metric, say; repeatable.")
@click.option("--example", type=click.Path(path_type=Path), help="JSON file with example rows.")
@click.option("--trust", is_flag=True, help="Let the file run code when it is loaded.")
@home_option
def add(
    name: str,
    file: Path,
    version: int | None,
    alias: str | None,
    metadata: tuple[str, ...],
    example: Path | None,
    trust: bool,
    home: Path,
) -> None:
    """Register FILE (.skops, .joblib, .pkl) as a version of the model NAME."""
    description, artifact = describe(
        file, trust=trust, examples=_examples(example), metadata=_pairs(metadata)
    )
    manifest = Registry(home).add(name, description, artifact, version=version, alias=alias)
    pointed = f", alias {alias}" if alias else ""
    click.echo(f"registered {name}:{manifest.version}{pointed} (sha256 {manifest.sha256[:12]})")
    _check_served(home, manifest)


def _examples(path: Path | None) -> Any:
    """Example rows; the standard parser also takes the NaN that data frames write."""
    if path is None:
        return None
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise Invalid(f"{path} is not JSON: {error}") from error


def _pairs(metadata: tuple[str, ...]) -> dict[str, str]:
    pairs = [entry.partition("=") for entry in metadata]
    for key, sign, value in pairs:
        if not (key and sign):
            raise Invalid(f"metadata must be KEY=VALUE, not {key + sign + value!r}")
    return {key: value for key, _, value in pairs}


def _check_served(home: Path, manifest: Manifest) -> None:
    stack = running_stack(home)
    if stack is None:
        return
    if manifest.example is None:
        click.echo("could not check that it is served: no row is known that the model takes")
        click.echo("give one with --example")
        return
    wait_until_served(stack, manifest)
    click.echo(f"serving {manifest.name}:{manifest.version} at {stack.url}")
