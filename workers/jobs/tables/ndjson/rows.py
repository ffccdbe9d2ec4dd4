"""Reads rows of JSON: all lines at once if they are valid, else each line by itself."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from registry.manifest import Column, Signature
from registry.rows import validation
from registry.rows.values import fault
from tasks.wire import decode
from telemetry.errors import Malformed
from workers.models.tabular.columns import is_float

Row = list[Any]
FileNames = Sequence[str | None] | None
"""The model's columns by their names in the file, None for one that it lacks; None for lists."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Exceptions of msgspec for invalid JSON."""
_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
"""Characters that JSON escapes in names; msgspec does not support them in field names."""
_SCALAR = int | float | str | bool
_TYPES: dict[str, Any] = {
    "number": int | float,
    "string": str,
    "boolean": bool,
    "category": _SCALAR,
    "datetime": str,
    "duration": str,
    "date": str,
    "decimal": int | float | str,
    "any": _SCALAR,
}


class Line(msgspec.Struct, frozen=True):
    """One line: a row, or its error."""

    row: Row | None
    code: str = ""
    message: str = ""


def quick_reader(signature: Signature, names: FileNames) -> Callable[[bytes], list[Row] | None]:
    """Make a reader of many lines at once; it returns None unless every row is valid."""
    if names is not None and _are_escaped(signature, names):
        return lambda _: None
    kinds = [_kind(column) for column in signature.columns]
    if names is None:
        row: Any = tuple.__class_getitem__(tuple(kinds))
    else:
        row = _struct(signature, kinds, names)
    decoder = msgspec.json.Decoder(row)
    # Other column types have values that their Python type does not prove valid.
    is_plain = all(column.type == "string" or is_float(column) for column in signature.columns)

    def read(data: bytes) -> list[Any] | None:
        try:
            rows = decoder.decode_lines(data)
        except UNREADABLE:
            return None
        rows = rows if names is None else [*map(msgspec.structs.astuple, rows)]
        return rows if is_plain or validation.are_valid(signature, rows) else None

    return read


def _are_escaped(signature: Signature, names: Sequence[str | None]) -> bool:
    """Whether a key is written with a backslash, in the signature or in the file."""
    keys = [*(column.name for column in signature.columns), *filter(None, names)]
    return any(map(_ESCAPED.search, keys))


def _struct(signature: Signature, kinds: Sequence[Any], names: Sequence[str | None]) -> Any:
    """A msgspec type of rows as objects; unused columns are optional."""
    fields: list[Any] = []
    renamed: dict[str, str] = {}
    for index, (column, kind, name) in enumerate(zip(signature.columns, kinds, names, strict=True)):
        field = f"f{index}"
        renamed[field] = column.name if name is None else name
        fields.append((field, kind, None) if column.unused else (field, kind))
    # Names in the file may be no Python names. Rows hold no cycles, so the collector can skip them.
    return msgspec.defstruct("Row", fields, rename=renamed, gc=False, kw_only=True)


def careful_reader(signature: Signature, names: FileNames) -> Callable[[bytes], Line]:
    """Make a reader of a single line, which reports its error."""

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


def _checked(signature: Signature, names: FileNames, content: Any) -> Line:
    if names is None:
        wrong = _wrong_length(signature, content)
        row = content
    else:
        wrong = _missing(signature, names, content)
        row = [None if name is None else content.get(name) for name in names]
    wrong = wrong or _fault(signature, row)
    return Line(None, "invalid_features", wrong) if wrong else Line(row)


def _missing(signature: Signature, names: Sequence[str | None], content: Any) -> str | None:
    for column, name in zip(signature.columns, names, strict=True):
        if name not in content and not column.unused:
            return f"column {name!r} is missing"
    return None


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
    if column.unused:
        return Any
    kind = float if is_float(column) and column.dtype else _TYPES[column.type]
    if column.type == "number" and not column.dtype:
        kind = float | bool
    return kind | None if column.nullable else kind
