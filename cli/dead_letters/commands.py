"""The `predictq dead-letters` commands: list, show, replay and delete dead letters."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import click

from cli.failure import Failure
from cli.http import Command, Json, as_json_option, ask, url_option
from cli.http import as_json as printed
from cli.text_table import text_table

_HEADER = ("ID", "MODEL", "CODE", "ATTEMPTS", "DIED", "REASON")


def _filters(command: Command) -> Command:
    options: list[Callable[[Any], Any]] = [
        click.option("--model", help="Only dead letters of this model: name or name:version."),
        click.option("--code", help="Only dead letters with this error code."),
        click.option("--queue", help="Only dead letters of this queue."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group("dead-letters")
def dead_letters() -> None:
    """List, show, replay and delete dead letters."""


@dead_letters.command("list")
@_filters
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=100,
    show_default=True,
    help="How many dead letters to list.",
)
@as_json_option
@url_option
def list_(limit: int, as_json: bool, url: str | None, **which: str | None) -> None:
    """List dead letters, newest first."""
    found = ask(url, "GET", f"dead-letters?{urlencode({**_given(which), 'limit': limit})}")
    if as_json:
        click.echo(printed(found))
        return
    click.echo(text_table(_HEADER, map(_line, found["dead_letters"])))
    if (left := found["matching"] - len(found["dead_letters"])) > 0:
        click.echo(f"and {left} more", err=True)


@dead_letters.command()
@click.argument("id")
@url_option
def show(id: str, url: str | None) -> None:
    """Show the dead letter ID with its message, as JSON."""
    click.echo(printed(ask(url, "GET", f"dead-letters/{quote(id, safe='')}")))


@dead_letters.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_filters
@click.option("--all", "everything", is_flag=True, help="Replay all dead letters.")
@url_option
def replay(ids: tuple[str, ...], everything: bool, url: str | None, **which: str | None) -> None:
    """Put dead letters back on their queues, by ID or by filter.

    Each keeps its id, and its failed outcome is reopened. A filter selects the oldest, at most
    1,000.
    """
    _check_selection(ids, everything, which)
    if not ids:
        _replay_some(url, _given(which))
    for letter in ids:
        ask(url, "POST", f"dead-letters/{quote(letter, safe='')}/replay")
        click.echo(f"replayed {letter}")


@dead_letters.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_filters
@click.option("--all", "everything", is_flag=True, help="Delete all dead letters.")
@url_option
def delete(ids: tuple[str, ...], everything: bool, url: str | None, **which: str | None) -> None:
    """Delete dead letters, by ID or by filter; the outcomes of their predictions stay."""
    _check_selection(ids, everything, which)
    if ids:
        gone = sum(ask(url, "DELETE", f"dead-letters/{quote(i, safe='')}")["deleted"] for i in ids)
    else:
        query = urlencode({**_given(which), **({"all": "true"} if everything else {})})
        gone = ask(url, "DELETE", f"dead-letters?{query}")["deleted"]
    click.echo(f"deleted {gone}")


def _replay_some(url: str | None, which: dict[str, str]) -> None:
    answer = ask(url, "POST", "dead-letters/replay", which)
    click.echo(f"replayed {len(answer['replayed'])}")
    if refused := [f"{refusal['id']}: {refusal['detail']}" for refusal in answer["refused"]]:
        raise Failure("\n".join(refused))


def _check_selection(ids: tuple[str, ...], everything: bool, which: dict[str, str | None]) -> None:
    if sum([bool(ids), bool(_given(which)), everything]) != 1:
        raise click.UsageError("Give ids, or filters, or --all.")


def _given(which: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in which.items() if value is not None}


def _line(letter: Json) -> tuple[str, ...]:
    died = datetime.fromtimestamp(letter["died_at"], UTC).isoformat(timespec="seconds")
    reason = letter["reason"].replace("\n", " ")[:80]
    named = letter["id"], letter["model"] or "-", letter["code"]
    return (*named, str(letter["attempts"]), died, reason)
