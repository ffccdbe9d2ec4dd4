"""Writes FlatBuffers, in which Arrow describes its messages; `FlatTable` reads them."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

_OFFSET = struct.Struct("<I")
_TO_SHAPE = struct.Struct("<i")


class FlatNumber(NamedTuple):
    """A number, whose width and sign ``form`` gives."""

    form: struct.Struct
    value: int


class FlatStructs(NamedTuple):
    """A list of structs of 64-bit numbers."""

    form: struct.Struct
    values: Sequence[tuple[int, ...]]


class FlatFields(NamedTuple):
    """A table: its fields by their number; None for those that are absent."""

    values: Sequence["FlatNumber | FlatStructs | FlatFields | Sequence[FlatFields] | str | None"]


def flat_buffer(root: FlatFields) -> bytes:
    """Encode a table; the length is a multiple of 8."""
    out = bytearray(8)
    _OFFSET.pack_into(out, 0, _append_table(out, root))
    _pad(out)
    return bytes(out)


def _append_table(out: bytearray, table: FlatFields) -> int:
    """Append a table and what belongs to it; returns where it starts."""
    slots, size = _slots(table)
    _pad(out)
    shape = len(out)
    out += struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), size, *slots)
    _pad(out)
    start = len(out)
    out += bytes(size)
    _TO_SHAPE.pack_into(out, start, start - shape)
    for slot, value in zip(slots, table.values, strict=True):
        if isinstance(value, FlatNumber):
            value.form.pack_into(out, start + slot, value.value)
        elif value is not None:
            _point(out, start + slot, _append(out, value))
    return start


def _slots(table: FlatFields) -> tuple[list[int], int]:
    """The offset of each field in the table, 0 for an absent one, and the size of the table."""
    slots, end = list[int](), _TO_SHAPE.size
    for value in table.values:
        if value is None:
            slots.append(0)
            continue
        size = value.form.size if isinstance(value, FlatNumber) else _OFFSET.size
        end += -end % size
        slots.append(end)
        end += size
    return slots, end


def _append(out: bytearray, value: "FlatStructs | FlatFields | Sequence[FlatFields] | str") -> int:
    if isinstance(value, FlatFields):
        return _append_table(out, value)
    _pad(out, _OFFSET.size)  # so that what follows the count is aligned
    start = len(out)
    if isinstance(value, FlatStructs):
        out += _OFFSET.pack(len(value.values))
        out += b"".join(value.form.pack(*each) for each in value.values)
    elif isinstance(value, str):
        text = value.encode()
        out += _OFFSET.pack(len(text)) + text + b"\0"
    else:
        out += _OFFSET.pack(len(value)) + bytes(_OFFSET.size * len(value))
        for index, each in enumerate(value):
            _point(out, start + _OFFSET.size * (1 + index), _append_table(out, each))
    return start


def _point(out: bytearray, at: int, target: int) -> None:
    _OFFSET.pack_into(out, at, target - at)


def _pad(out: bytearray, rest: int = 0) -> None:
    """Append zeros until 8 divides the length with this rest."""
    out += bytes((rest - len(out)) % 8)
