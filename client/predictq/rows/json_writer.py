"""Writes JSON, and finds the value that cannot be encoded."""

import json
from collections.abc import Iterator
from typing import Any

from predictq.errors import Detail, InvalidRequest, refused

Way = tuple[str | int, ...]
"""Path from the root to a nested value."""
HINTS = {
    "bytes": "; text is sent as str",
    "set": "; it has no order, so send a list",
    "frozenset": "; it has no order, so send a list",
    "str": ": it holds half of a character",
    "int": ": it has too many digits",
}


class Unsayable(Exception):
    """A value cannot be encoded as JSON."""

    def __init__(self, way: Way, told: str) -> None:
        super().__init__(way, told)
        self.way = way
        """Path to the value."""
        self.told = told


def written(value: Any) -> bytes:
    """Encode a value as JSON in UTF-8; raises `Unsayable`."""
    try:
        return _json(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise _found(value) from error


def body(fields: dict[str, Any]) -> bytes:
    """Encode a request body; raises `InvalidRequest`, which names row and column."""
    try:
        return written(fields)
    except Unsayable as error:
        raise _refusal(error.way, error.told) from error


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _found(value: Any) -> Unsayable:
    try:
        way, culprit = next(_unsayable(value, ()), ((), value))
    except RecursionError:
        return Unsayable((), "it is nested too deeply, or contains itself")
    kind = type(culprit).__name__
    return Unsayable(way, f"a value of type {kind} cannot be sent{HINTS.get(kind, '')}")


def _unsayable(value: Any, way: Way) -> Iterator[tuple[Way, Any]]:
    """Yield the innermost values that cannot be encoded, each with its path."""
    if isinstance(value, dict):
        for name, part in value.items():
            if not _is_sayable({name: None}):
                yield way, name
            yield from _unsayable(part, (*way, name))
    elif isinstance(value, list | tuple):
        for step, part in enumerate(value):
            yield from _unsayable(part, (*way, step))
    elif not _is_sayable(value):
        yield way, value


def _is_sayable(value: Any) -> bool:
    try:
        return bool(_json(value))
    except (TypeError, ValueError):
        return False


def _refusal(way: Way, told: str) -> InvalidRequest:
    match way:
        case ("features", int(row), column, *_):
            return refused(f"row {row + 1}, column {column!r}: {told}", row)
        case ("features", int(number)):
            return refused(f"row {number + 1}: {told}", number)
        case ("features", name, *_):
            return refused(f"column {name!r}: {told}")
        case ("features",):
            return refused(f"rows: {told}")
    what = f"{way[0]}: {told}" if way else told
    return InvalidRequest(422, "invalid", what, (Detail(way, what),))
