"""The rows that `predictq predict` sends, each with its place; how JSON and NDJSON hold them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any


@dataclass(frozen=True)
class Row:
    """One row and where it stands in the file."""

    place: str
    """``line 7`` of CSV and NDJSON, ``row 7`` of a JSON array; from 1."""
    value: Any
    fault: str | None = None
    """Why it is not sent, if it is not."""


@dataclass(frozen=True)
class Read:
    """What a file holds."""

    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())
    """What is to be told of it."""


class Unreadable(Exception):
    """The file does not hold rows."""


def from_json(text: str) -> Iterator[Row]:
    """The elements of an array; an object, or an array of scalars, is one row."""
    rows = _json(text, "")
    if not isinstance(rows, list | dict):
        raise Unreadable("expected an array of rows")
    if isinstance(rows, dict) or (rows and not isinstance(rows[0], list | dict)):
        rows = [rows]
    return (Row(f"row {number}", value) for number, value in enumerate(rows, 1))


def from_ndjson(text: str) -> Iterator[Row]:
    """A row a line; empty lines are passed over."""
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
