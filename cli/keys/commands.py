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

_HEADER = ("ID", "NAME", "STATE", "TENANT", "SCOPES", "MODELS", "LIMITS", "USED")
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
    help="What it may do: scopes, or the roles viewer, operator, admin.",
)
@click.option("--models", metavar=_LIST, callback=_listed, help="Globs of the models it sees.")
@click.option("--tenant", help="Whose predictions and jobs it sees.")
@click.option("--rate", metavar="N/s|m|h|d", help="Most predictions in a period, as 100/s.")
@click.option("--rows", metavar="N/s|m|h|d", help="Most rows in a period, as 1e6/h.")
@click.option("--expires", "expires_seconds", type=Duration(), help="When it ends, as 90d.")
@click.option(
    "--cidr",
    "networks",
    multiple=True,
    metavar="NETWORK",
    help="Where it may be used, as 10.0.0.0/8; repeatable.",
)
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Add it to this file, for PREDICTQ_KEYS_FILE, and ask no server.",
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
    """List the keys, the oldest first; not those of files."""
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
    help="For how long the secret before works, too.",
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
    """End KEY (an id or a name); within 5 s no process takes it."""
    with server(url) as client:
        ended = client.keys.revoke(key)
    click.echo(f"revoked {ended['name']} ({ended['id']})")


def _line(key: Json) -> tuple[str, ...]:
    limits = [key["rate"], key["rows"] and f"{key['rows']} rows"]
    used = key["last_used_at"]
    when = datetime.fromtimestamp(used, UTC).isoformat(timespec="minutes") if used else "-"
    named = key["id"], key["name"], key["state"], key["tenant"]
    told = ", ".join(str(limit) for limit in limits if limit) or "-"
    return (*named, ",".join(key["scopes"]), ",".join(key["models"]), told, when)
