"""Writes JSON, and finds the value that cannot be encoded."""

import json
from collections.abc import Iterator
from typing import Any

from predictq.errors import Detail, InvalidRequest, refused

ValuePath = tuple[str | int, ...]
"""Path from the root to a nested value."""
HINTS = {
    "bytes": "; text is sent as str",
    "set": "; it has no order, so send a list",
    "frozenset": "; it has no order, so send a list",
    "str": ": it contains an unpaired surrogate, which is not valid text",
    "int": ": it has too many digits",
}


class Unencodable(Exception):
    """A value cannot be encoded as JSON."""

    def __init__(self, way: ValuePath, told: str) -> None:
        super().__init__(way, told)
        self.way = way
        """Path to the value."""
        self.told = told


def encode(value: Any) -> bytes:
    """Encode a value as JSON in UTF-8; raises `Unencodable`."""
    try:
        return _json(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise _found(value) from error


def body(fields: dict[str, Any]) -> bytes:
    """Encode a request body; raises `InvalidRequest`, which names row and column."""
    try:
        return encode(fields)
    except Unencodable as error:
        raise _refusal(error.way, error.told) from error


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _found(value: Any) -> Unencodable:
    try:
        way, culprit = next(_unencodable(value, ()), ((), value))
    except RecursionError:
        return Unencodable((), "it is nested too deeply, or contains a cycle")
    kind = type(culprit).__name__
    return Unencodable(way, f"a value of type {kind} cannot be sent{HINTS.get(kind, '')}")


def _unencodable(value: Any, way: ValuePath) -> Iterator[tuple[ValuePath, Any]]:
    """Yield the innermost values that cannot be encoded, each with its path."""
    if isinstance(value, dict):
        for name, part in value.items():
            if not _is_encodable({name: None}):
                yield way, name
            yield from _unencodable(part, (*way, name))
    elif isinstance(value, list | tuple):
        for step, part in enumerate(value):
            yield from _unencodable(part, (*way, step))
    elif not _is_encodable(value):
        yield way, value


def _is_encodable(value: Any) -> bool:
    try:
        return bool(_json(value))
    except (TypeError, ValueError):
        return False


def _refusal(way: ValuePath, told: str) -> InvalidRequest:
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
