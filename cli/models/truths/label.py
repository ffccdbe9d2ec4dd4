"""The command `predictq models label`: tells what came true of predictions."""

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

from cli.http import server, url_option
from predictq import Client
from telemetry.errors import Invalid

_TOGETHER = 1000
"""Labels in one request, as many as the API takes."""
_SHOWN = 10
"""Labels that were not counted, of which the reason is printed."""


@click.command()
@click.argument("id", required=False)
@click.argument("label", required=False)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV in UTF-8 with the columns id and label.",
)
@url_option
def label(id: str | None, label: str | None, file: Path | None, url: str | None) -> None:
    """Tell what came true of the prediction ID: LABEL, or those of a file.

    A label is JSON, such as 2, true or [1, 0] for two rows; what is not JSON is a text.
    """
    told = _told(id, label, file)
    with server(url) as client:
        left = [*_sent(client, told)]
    refused = [each for each in left if each["code"]]
    for each in refused[:_SHOWN]:
        click.echo(f"not counted: {each['id']}: {each['detail']}", err=True)
    before = f", {known:,} were told before" if (known := len(left) - len(refused)) else ""
    click.echo(f"counted {len(told) - len(left):,} of {len(told):,}{before}")
    if refused:
        raise click.exceptions.Exit(1)


def _told(id: str | None, label: str | None, file: Path | None) -> dict[str, Any]:
    """Id → label."""
    if file is not None and id is None:
        return _read(file)
    if file is None and id is not None and label is not None:
        return {id: _value(label)}
    raise Invalid("give ID and LABEL, or --file")


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if not {"id", "label"} <= {*(rows.fieldnames or ())}:
                raise Invalid(f"{file} needs the columns id and label, separated by commas")
            return {row["id"]: _value(row["label"] or "") for row in rows}
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is not UTF-8; save it as such") from error


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text or None


def _sent(client: Client, told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Send labels; yields those that were not counted."""
    labels = iter(told.items())
    while some := dict(islice(labels, _TOGETHER)):
        yield from (each for each in client.label(some) if not each["counted"])
