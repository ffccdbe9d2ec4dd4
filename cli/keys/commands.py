"""The `predictq keys` commands: create, list, show, rotate and revoke API keys."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cli.http import Json, as_json_option, server, url_option
from cli.http import as_json as printed
from cli.keys.durations import Duration
from cli.keys.key_file import add_to_file
from cli.text_table import text_table

_HEADER = ("ID", "NAME", "STATE", "TENANT", "SCOPES", "MODELS", "WEIGHT", "LIMITS", "USED")
_LIST = "A,B"


def _listed(_context: Any, _parameter: Any, given: str | None) -> list[str] | None:
    """The parts of a text with commas."""
    return None if given is None else [one.strip() for one in given.split(",") if one.strip()]


@click.group()
def keys() -> None:
    """Create, list, show, rotate and revoke API keys."""


@keys.command()
@click.argument("name")
@click.option(
    "--scopes",
    required=True,
    metavar=_LIST,
    callback=_listed,
    help="Scopes of the key, or the roles viewer, operator, admin.",
)
@click.option(
    "--models", metavar=_LIST, callback=_listed, help="Models that the key sees, as globs."
)
@click.option("--tenant", help="Tenant whose predictions and jobs the key sees.")
@click.option(
    "--rate", metavar="N/s|m|h|d", help="Limit of predictions in a period, such as 100/s."
)
@click.option("--rows", metavar="N/s|m|h|d", help="Limit of rows in a period, such as 1e6/h.")
@click.option(
    "--in-flight",
    type=click.IntRange(1, 1_000_000),
    help="Limit of predictions that have no outcome yet.",
)
@click.option(
    "--weight",
    type=click.FloatRange(0.01, 100),
    help="Share of the key while others wait, relative to 1.",
)
@click.option(
    "--expires", "expires_seconds", type=Duration(), help="Time until the key expires, such as 90d."
)
@click.option(
    "--cidr",
    "networks",
    multiple=True,
    metavar="NETWORK",
    help="Network from which the key may be used, such as 10.0.0.0/8; repeatable.",
)
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the key to this file, for PREDICTQ_KEYS_FILE, instead of the server.",
)
@url_option
def create(name: str, path: Path | None, url: str | None, **fields: Any) -> None:
    """Create the key NAME and print it. It is stored as a hash, and never shown again."""
    given = {field: value for field, value in fields.items() if value not in (None, ())}
    if path is not None:
        click.echo(add_to_file(path, {"name": name, **given}))
        return
    with server(url) as client:
        click.echo(client.keys.create(name, given.pop("scopes"), **given)["token"])


@keys.command("list")
@as_json_option
@url_option
def list_(as_json: bool, url: str | None) -> None:
    """List the keys on the server, oldest first, without keys in files."""
    with server(url) as client:
        found = client.keys()
    click.echo(printed(found) if as_json else text_table(_HEADER, map(_line, found)))


@keys.command()
@click.argument("key")
@url_option
def show(key: str, url: str | None) -> None:
    """Show KEY (an id or a name) as JSON, without its secret."""
    with server(url) as client:
        click.echo(printed(client.keys.show(key)))


@keys.command("rotate")
@click.argument("key")
@click.option(
    "--overlap",
    type=Duration(),
    default="24h",
    show_default=True,
    help="How long the previous secret remains valid.",
)
@url_option
def rotate_key(key: str, overlap: float, url: str | None) -> None:
    """Give KEY (an id or a name) a new secret, and print it."""
    with server(url) as client:
        click.echo(client.keys.rotate(key, overlap=overlap)["token"])


@keys.command()
@click.argument("key")
@url_option
def revoke(key: str, url: str | None) -> None:
    """Revoke KEY (an id or a name). Every process refuses it within 5 s."""
    with server(url) as client:
        ended = client.keys.revoke(key)
    click.echo(f"revoked {ended['name']} ({ended['id']})")


def _line(key: Json) -> tuple[str, ...]:
    limits = [key["rate"], key["rows"] and f"{key['rows']} rows"]
    limits.append(key["in_flight"] and f"{key['in_flight']} in flight")
    used = key["last_used_at"]
    when = datetime.fromtimestamp(used, UTC).isoformat(timespec="minutes") if used else "-"
    named = key["id"], key["name"], key["state"], key["tenant"]
    told = ", ".join(str(limit) for limit in limits if limit) or "-"
    seen, weight = ",".join(key["models"]), f"{key['weight']:g}"
    return (*named, ",".join(key["scopes"]), seen, weight, told, when)
