"""The datatypes of tensors: their values in JSON, and in binary form."""

import struct
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from api.open_inference.tensors.requests import Datatype
from registry.rows.values import in_words
from telemetry.errors import Invalid

_CODES = {
    "BOOL": "?",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
"""Datatype → its code in `struct`; values in binary form are little-endian."""
_INTEGER, _FLOAT = frozenset({int}), frozenset({int, float})
_NAN = float("nan")
_LENGTH = struct.Struct("<I")


class _Kind(NamedTuple):
    takes: frozenset[type]
    says: str


def _kind(datatype: str) -> _Kind:
    if datatype == "BOOL":
        return _Kind(frozenset({bool}), "true or false")
    if datatype == "BYTES":
        return _Kind(frozenset({str}), "a string")
    if datatype.startswith("FP"):
        return _Kind(_FLOAT, "a number")
    return _Kind(_INTEGER, "a whole number")


def checked_values(datatype: Datatype, values: list[Any]) -> list[Any]:
    """Values as JSON has them, each as its datatype keeps it; null is a missing value.

    Raises `Invalid` for a value of another type, or beyond the range of the datatype.
    """
    kind = _kind(datatype)
    found = set(map(type, values))
    if not found <= kind.takes | {type(None)}:
        position, value = next(
            (position, each)
            for position, each in enumerate(values)
            if each is not None and type(each) not in kind.takes
        )
        raise Invalid(f"{datatype}: expected {kind.says} at {position}, got {in_words(value)}")
    if datatype in ("BOOL", "BYTES"):
        return values
    if type(None) not in found:
        return _kept(datatype, values)
    kept = iter(_kept(datatype, [each for each in values if each is not None]))
    return [None if each is None else next(kept) for each in values]


def _kept(datatype: Datatype, values: list[Any]) -> list[Any]:
    """Numbers as the datatype keeps them: JSON may give an FP32 more digits than it has."""
    layout = f"<{len(values)}{_CODES[datatype]}"
    try:
        return [*struct.unpack(layout, struct.pack(layout, *values))]
    except (struct.error, OverflowError) as error:
        raise Invalid(f"{datatype}: a value is beyond its range") from error


def binary_values(datatype: Datatype, raw: bytes, count: int) -> list[Any]:
    """Values in binary form; raises `Invalid` if these bytes are not ``count`` values."""
    if datatype == "BYTES":
        return _texts(raw, count)
    layout = f"<{count}{_CODES[datatype]}"
    if len(raw) != (size := struct.calcsize(layout)):
        raise Invalid(f"{count} values of {datatype} have {size} bytes, not {len(raw)}")
    return [*struct.unpack(layout, raw)]


def _texts(raw: bytes, count: int) -> list[str]:
    try:
        # One more than wanted, and no more: an element has 4 bytes, and in memory many times that.
        found = [each.decode() for each in islice(_elements(raw), count + 1)]
    except UnicodeDecodeError as error:
        raise Invalid("BYTES: an element is not UTF-8") from error
    if len(found) != count:
        got = len(found) if len(found) < count else "more"
        raise Invalid(f"BYTES: expected {count} elements, got {got}")
    return found


def _elements(raw: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(raw):
        if len(raw) - start < _LENGTH.size:
            raise Invalid("BYTES: the last element has no length of 4 bytes")
        (length,) = _LENGTH.unpack_from(raw, start)
        start += _LENGTH.size + length
        if start > len(raw):
            raise Invalid("BYTES: the last element is longer than its tensor")
        yield raw[start - length : start]


def binary_form(datatype: Datatype, values: Sequence[Any]) -> bytes:
    """Values of an answer in binary form; a missing number is NaN, a missing text is empty."""
    if datatype == "BYTES":
        texts = [("" if each is None else each).encode() for each in values]
        return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
    # `float` reads the names that infinities have in JSON.
    told = [_NAN if v is None else float(v) for v in values] if datatype == "FP64" else values
    return struct.pack(f"<{len(told)}{_CODES[datatype]}", *told)
