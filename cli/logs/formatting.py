"""Prints log entries: for people, or as JSON lines."""

from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from cli.logs.entries import LogEntry

_COLOURS = {"warning": "yellow", "error": "red", "critical": "red"}
_TEXTS = ("traceback", "exception", "stack")
"""Fields of several lines."""
_SHOWN = ("timestamp", "level", "event", "process", "logger", *_TEXTS)
"""Fields that have a place of their own; the logger is for `--json`."""


def entry_json(entry: LogEntry) -> str:
    """One JSON object: the fields, the name of the `log`, and in `more` the lines that follow."""
    more = {"more": entry.more} if entry.more else {}
    return msgspec.json.encode({**entry.fields, "log": entry.log, **more}).decode()


def entry_text(entry: LogEntry) -> str:
    """Time, level, log, what happened and the fields; below it tracebacks and what follows."""
    fields = entry.fields
    at = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    level = str(fields.get("level", ""))
    named = [f"{name}={value}" for name, value in fields.items() if name not in _SHOWN]
    log, event = entry.log.removesuffix(".log"), fields.get("event", "")
    coloured = click.style(f"{printable(level):7}", fg=_COLOURS.get(level))
    first = f"{at} {coloured} {log:8} {printable('  '.join([str(event), *named]))}"
    return "\n".join([first, *(f"    {printable(line)}" for line in _below(fields, entry.more))])


def _below(fields: dict[str, Any], more: tuple[str, ...]) -> list[str]:
    texts = [str(fields[name]) for name in _TEXTS if name in fields]
    return [line for text in texts for line in text.splitlines()] + [*more]


def printable(text: str) -> str:
    """The text without what a terminal would obey: callers and models choose parts of it."""
    return "".join(
        each if each.isprintable() or each == "\t" else ascii(each)[1:-1] for each in text
    )
