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
from registry.audit.trail import AUDIT_PARTS, AuditTrail, Broken

_HEADER = ("ID", "TIME", "CALLER", "KEY", "TENANT", "STATUS", "REQUEST", "ADDRESS")


@click.group()
def audit() -> None:
    """List and verify the audit log of changes and refusals over HTTP."""


@audit.command("list")
@click.option("--since", type=Duration(), help="Only entries of the last DURATION, such as 24h.")
@click.option("--caller", help="Only entries of the key with this name or id.")
@click.option("--status", type=int, help="Only entries with this HTTP status, such as 403.")
@click.option("--refusals", is_flag=True, help="List refusals instead of changes.")
@click.option("--json", "as_json", is_flag=True, help="Print the stored lines of JSON.")
@find_stack.for_registry
def list_lines(
    since: float | None,
    caller: str | None,
    status: int | None,
    refusals: bool,
    as_json: bool,
    home: Path,
) -> None:
    """List changes or refusals, oldest first."""
    after = time.time() - since if since is not None else 0.0
    trail = AuditTrail(home, "refusals" if refusals else "changes")
    found = _matching(trail, after, caller, status)
    if as_json:
        for line in found:
            click.echo(msgspec.json.encode(line))
        return
    click.echo(text_table(_HEADER, map(_row, found)))


@audit.command()
@click.option("--expect", metavar="HASH", help="Fail if no change has this hash.")
@find_stack.for_registry
def verify(expect: str | None, home: Path) -> None:
    """Check that no line was changed, added or removed, except at either end of the log.

    Keep the hash of the changes elsewhere, and give it as --expect later: then changes that were
    removed from the end are noticed, too.
    """
    for part in AUDIT_PARTS:
        try:
            count, last = AuditTrail(home, part).verify((part == "changes" and expect) or "")
        except Broken as error:
            raise Failure(f"the audit log of {part} was altered: {error}") from error
        click.echo(f"{count} {part}, whole; the last one has the hash {last or '-'}")


def _matching(
    trail: AuditTrail, after: float, caller: str | None, status: int | None
) -> Iterator[AuditLine]:
    for line in trail.lines():
        if (
            datetime.fromisoformat(line.time).timestamp() >= after
            and (caller is None or caller in (line.caller, line.key))
            and (status is None or status == line.status)
        ):
            yield line


def _row(line: AuditLine) -> tuple[str, ...]:
    request = f"{line.method} {line.path}"
    caller, key, address = line.caller or "-", line.key or "-", line.address or "-"
    return str(line.id), line.time, caller, key, line.tenant, str(line.status), request, address
