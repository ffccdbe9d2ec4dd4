"""The `predictq audit` commands read the log from the home: they need no stack, and no key."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import msgspec

from cli import find_stack
from cli.failure import Failure
from cli.keys.durations import Duration
from cli.text_table import text_table
from registry.audit.entry import AuditLine
from registry.audit.trail import AuditTrail, Broken

_HEADER = ("ID", "TIME", "WHO", "KEY", "TENANT", "STATUS", "REQUEST", "ADDRESS")


@click.group()
def audit() -> None:
    """List what was changed and refused over HTTP, and verify that the log is whole."""


@audit.command("list")
@click.option("--since", type=Duration(), help="Only the last, as 24h.")
@click.option("--who", help="Only of the key with this name or id.")
@click.option("--status", type=int, help="Only with this HTTP status, as 403.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, as they are kept.")
@find_stack.for_registry
def list_lines(
    since: float | None, who: str | None, status: int | None, as_json: bool, home: Path
) -> None:
    """List lines, oldest first."""
    after = time.time() - since if since is not None else 0.0
    found = _matching(AuditTrail(home), after, who, status)
    if as_json:
        for line in found:
            click.echo(msgspec.json.encode(line))
        return
    click.echo(text_table(_HEADER, map(_row, found)))


@audit.command()
@click.option("--expect", metavar="HASH", help="Also fail unless a line has this hash.")
@find_stack.for_registry
def verify(expect: str | None, home: Path) -> None:
    """Check that no line was changed, added or removed, except at either end of the log.

    Keep the hash that this prints elsewhere, and give it as --expect later: then lines that were
    removed from the end are noticed, too.
    """
    try:
        count, last = AuditTrail(home).verify(expect or "")
    except Broken as error:
        raise Failure(f"the audit log was changed: {error}") from error
    click.echo(f"{count} lines, whole; the last one has the hash\n{last}")


def _matching(
    trail: AuditTrail, after: float, who: str | None, status: int | None
) -> Iterator[AuditLine]:
    for line in trail.lines():
        if (
            datetime.fromisoformat(line.time).timestamp() >= after
            and (who is None or who in (line.who, line.key))
            and (status is None or status == line.status)
        ):
            yield line


def _row(line: AuditLine) -> tuple[str, ...]:
    request = f"{line.method} {line.path}"
    who = line.who or "-"
    key, address = line.key or "-", line.address or "-"
    return str(line.id), line.time, who, key, line.tenant, str(line.status), request, address
