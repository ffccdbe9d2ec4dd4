"""Reads rows of JSON: all at once where all are right, else each line by itself."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from registry.diagnosis import fault
from registry.manifest import Column, Signature
from tasks.wire import decode
from telemetry.errors import Malformed

Row = list[Any]
Names = Sequence[str] | None
"""Of the model's columns in the file; None where lines are lists."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for what is no JSON that it takes."""
_TYPES: dict[str, Any] = {
    "number": float,
    "string": str,
    "boolean": bool,
    "any": int | float | str | bool,
}


class Line(msgspec.Struct, frozen=True):
    """What one line holds: a row, or what is wrong with it."""

    row: Row | None
    code: str = ""
    message: str = ""


def quick_reader(signature: Signature, names: Names) -> Callable[[bytes], list[Row] | None]:
    """Make what reads many lines whose rows the model takes, all of them; else it says None."""
    kinds = [_kind(column) for column in signature.columns]
    places = [f"f{place}" for place in range(len(kinds))]
    if names is None:
        row: Any = tuple.__class_getitem__(tuple(kinds))
    else:
        named = dict(zip(places, names, strict=True))
        row = msgspec.defstruct("Row", [*zip(places, kinds, strict=True)], rename=named, gc=False)
    decoder = msgspec.json.Decoder(row)

    def read(data: bytes) -> list[Any] | None:
        try:
            rows = decoder.decode_lines(data)
        except UNREADABLE:
            return None
        return rows if names is None else [*map(msgspec.structs.astuple, rows)]

    return read


def careful_reader(signature: Signature, names: Names) -> Callable[[bytes], Line]:
    """Make what reads one line, and says what is wrong with it."""

    def read(line: bytes) -> Line:
        try:
            content = decode(line)
        except Malformed as error:
            return Line(None, "malformed", error.message.replace("the body", "the line", 1))
        kind, word = (list, "a list") if names is None else (dict, "an object")
        if type(content) is not kind:
            return Line(None, "malformed", f"the line must be {word}")
        return _checked(signature, names, content)

    return read


def _checked(signature: Signature, names: Names, content: Any) -> Line:
    if names is None:
        wrong = _wrong_length(signature, content)
        row = content
    else:
        missing = [name for name in names if name not in content]
        wrong = f"column {missing[0]!r} is missing" if missing else None
        row = [content.get(name) for name in names]
    wrong = wrong or _fault(signature, row)
    return Line(None, "invalid_features", wrong) if wrong else Line(row)


def _wrong_length(signature: Signature, row: Row) -> str | None:
    width = len(signature.columns)
    return None if len(row) == width else f"expected {width} values, found {len(row)}"


def _fault(signature: Signature, row: Row) -> str | None:
    for column, value in zip(signature.columns, row, strict=True):
        wrong = fault(column, value)
        if wrong:
            return f"column {column.name!r}: {wrong}"
    return None


def _kind(column: Column) -> Any:
    kind = _TYPES[column.type]
    return kind | None if column.nullable else kind
