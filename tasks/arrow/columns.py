"""Columns of JSON values as Arrow's buffers."""

import struct
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec

from tasks.arrow.flat_buffer import FlatFields, FlatNumber

INFINITIES = {"Infinity": float("inf"), "-Infinity": float("-inf")}
"""The texts for numbers that JSON lacks."""
_NAMES = {None, *INFINITIES}
_BYTE, _SHORT, _INT = struct.Struct("<B"), struct.Struct("<h"), struct.Struct("<i")


class ArrowType(NamedTuple):
    """A type of Arrow: its number, and its parameters."""

    number: int
    parameters: FlatFields


INTEGER = ArrowType(2, FlatFields((FlatNumber(_INT, 64), FlatNumber(_BYTE, 1))))
DOUBLE = ArrowType(3, FlatFields((FlatNumber(_SHORT, 2),)))
TEXT = ArrowType(5, FlatFields(()))
BOOLEAN = ArrowType(6, FlatFields(()))


class ArrowColumn(NamedTuple):
    """The values of a column."""

    type: ArrowType
    nulls: int
    buffers: list[bytes]
    """Which values are there, empty if all are; then the values."""


def arrow_column(values: Sequence[Any]) -> ArrowColumn:
    """Encode JSON values: as integers, doubles, booleans or texts if all are of one of these kinds.

    Values of several kinds become their JSON texts, and null stays null.
    """
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds == {int}:
            return _column(INTEGER, values, [array("q", _filled(values, 0)).tobytes()])
        if kinds <= {int, float}:
            return _doubles(values)
        if kinds == {float, str} or (kinds == {str} and set(values) <= _NAMES):
            return _doubles([INFINITIES.get(value, value) for value in values])
    except (OverflowError, TypeError):
        return _texts([None if value is None else _json(value) for value in values])
    if kinds == {bool}:
        return _column(BOOLEAN, values, [_bits([value is True for value in values])])
    if kinds == {str}:
        return _texts(values)
    return _texts([None if value is None else _json(value) for value in values])


def _doubles(values: Sequence[Any]) -> ArrowColumn:
    return _column(DOUBLE, values, [array("d", _filled(values, 0.0)).tobytes()])


def _texts(values: Sequence[str | None]) -> ArrowColumn:
    texts = [text.encode() for text in _filled(values, "")]
    ends = array("i", accumulate(map(len, texts), initial=0))
    return _column(TEXT, values, [ends.tobytes(), b"".join(texts)])


def _column(type_: ArrowType, values: Sequence[Any], buffers: list[bytes]) -> ArrowColumn:
    nulls = values.count(None)
    there = _bits([value is not None for value in values]) if nulls else b""
    return ArrowColumn(type_, nulls, [there, *buffers])


def _filled(values: Sequence[Any], instead: Any) -> Sequence[Any]:
    return [instead if value is None else value for value in values]


def _bits(values: Sequence[bool]) -> bytes:
    """A bit for each value, the first one in the lowest place."""
    digits = "".join("1" if value else "0" for value in reversed(values))
    return int(digits or "0", 2).to_bytes((len(values) + 7) // 8, "little")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
