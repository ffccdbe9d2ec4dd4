"""The rows of `predictq predict` with their locations in the file; readers of JSON and NDJSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any


@dataclass(frozen=True)
class Row:
    """One row and its location in the file."""

    location: str
    """``line 7`` of CSV and NDJSON, ``row 7`` of a JSON array; from 1."""
    value: Any
    fault: str | None = None
    """Why the row cannot be sent, if so."""


@dataclass(frozen=True)
class FileRows:
    """The content of a file."""

    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())
    """Notes to print for the user."""


class Unreadable(Exception):
    """The file does not hold rows."""


def from_json(text: str) -> Iterator[Row]:
    """Yield the elements of an array; an object or an array of scalars is one row."""
    rows = _json(text, "")
    if not isinstance(rows, list | dict):
        raise Unreadable("expected an array of rows")
    if isinstance(rows, dict) or (rows and not isinstance(rows[0], list | dict)):
        rows = [rows]
    return (Row(f"row {number}", value) for number, value in enumerate(rows, 1))


def from_ndjson(text: str) -> Iterator[Row]:
    """Yield one row per line; empty lines are skipped."""
    for number, line in enumerate(StringIO(text), 1):
        if line.strip():
            yield Row(f"line {number}", _json(line, f"line {number}: "))


def _json(text: str, prefix: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unreadable(f"{prefix}not JSON: {error}") from error
    except RecursionError as error:
        raise Unreadable(f"{prefix}nested too deeply") from error
