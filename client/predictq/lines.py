"""Writes rows as NDJSON, a line each, and says which of them cannot be written."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from predictq.errors import InvalidRequest, refused
from predictq.rows import features, records

SLICE = 10_000
"""Rows of a data frame that are turned at once."""
Names = Callable[[], Sequence[str] | None]
"""Asks for the names of the model's columns; None where it has none."""


def lines(rows: Iterable[Any], names: Names) -> Iterator[bytes]:
    """A line for each row, with its newline; a list goes by the names of the model's columns.

    Raises `InvalidRequest`, which names the row, from 0, and the column.
    """
    asked = cache(names)
    for number, row in enumerate(_each(rows)):
        try:
            line = _line(number, row, asked)
        except (TypeError, ValueError) as error:
            raise _unwritable(number, row) from error
        yield line


def _each(rows: Any) -> Iterator[Any]:
    if hasattr(rows, "columns") and hasattr(rows, "iloc"):
        # A slice at a time: all records of a frame take many times its memory.
        for start in range(0, len(rows), SLICE):
            yield from records(rows.iloc[start : start + SLICE])
    elif isinstance(rows, Iterable):
        yield from rows
    else:
        expected = "a path, a URI, a data frame or an iterable of rows"
        raise refused(f"expected {expected}, got {_kind(rows)}")


def _line(number: int, row: Any, names: Names) -> bytes:
    plain = features(row)
    if isinstance(plain, list):
        plain = _by_name(number, plain, names())
    if not isinstance(plain, dict | list):
        raise TypeError(_kind(row))
    return json.dumps(plain, separators=(",", ":")).encode() + b"\n"


def _by_name(number: int, row: list[Any], names: Sequence[str] | None) -> Any:
    if names is None:
        return row
    if len(row) != len(names):
        raise refused(f"row {number} has {len(row)} features, expected {len(names)}", number)
    return dict(zip(names, row, strict=True))


def _unwritable(number: int, row: Any) -> InvalidRequest:
    for name, value in _cells(row):
        if not _is_writable(value):
            return refused(f"row {number}, column {name!r}: {_kind(value)} cannot be sent", number)
    return refused(f"row {number}: expected a list or an object, got {_kind(row)}", number)


def _cells(row: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(row, Mapping):
        return row.items()
    return enumerate(row) if isinstance(row, Iterable) else ()


def _is_writable(value: Any) -> bool:
    try:
        json.dumps(features(value))
    except (TypeError, ValueError):
        return False
    return True


def _kind(value: Any) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
