"""Reads tables of FlatBuffers, in which Arrow describes its messages.

Python checks every access, so malformed bytes can only raise `ValueError`.
"""

import struct
from collections.abc import Iterator
from typing import Any

_OFFSET = struct.Struct("<I")
_TO_SHAPE = struct.Struct("<i")
_SLOT = struct.Struct("<H")


class FlatTable:
    """One table: its fields are found by their number, and may be absent."""

    __slots__ = ("_content", "_shape", "_shape_size", "_start")

    def __init__(self, content: bytes, start: int) -> None:
        """``start``: where it lies in ``content``; raises `ValueError` if no table can be there."""
        self._content, self._start = content, start
        self._shape = start - _read(_TO_SHAPE, content, start)
        self._shape_size = _read(_SLOT, content, self._shape)

    @classmethod
    def root(cls, content: bytes) -> "FlatTable":
        """The table that a buffer holds."""
        return cls(content, _read(_OFFSET, content, 0))

    def number(self, field: int, form: struct.Struct, default: int = 0) -> int:
        """A number, whose width and sign ``form`` gives; the default if it is absent."""
        at = self._at(field)
        return default if at is None else _read(form, self._content, at)

    def table(self, field: int) -> "FlatTable | None":
        """A table within this one."""
        at = self._at(field)
        return None if at is None else FlatTable(self._content, self._pointed(at))

    def tables(self, field: int, most: int) -> list["FlatTable"]:
        """A list of tables; raises `ValueError` if there are more than ``most``."""
        start, count = self._list(field)
        if count > most:
            raise ValueError("too many tables")
        positions = (start + _OFFSET.size * index for index in range(count))
        return [FlatTable(self._content, self._pointed(at)) for at in positions]

    def structs(self, field: int, form: struct.Struct) -> Iterator[tuple[Any, ...]]:
        """The structs of a list, each of this form."""
        start, count = self._list(field)
        end = start + form.size * count
        if end > len(self._content):
            raise ValueError("a list goes beyond the end")
        return form.iter_unpack(memoryview(self._content)[start:end])

    def text_size(self, field: int) -> int:
        """The length of a text, as the buffer states it."""
        return self._list(field)[1]

    def text(self, field: int) -> str:
        """A text; empty if it is absent."""
        start, length = self._list(field)
        if start + length > len(self._content):
            raise ValueError("a text goes beyond the end")
        return self._content[start : start + length].decode()

    def _at(self, field: int) -> int | None:
        slot = 2 * _SLOT.size + _SLOT.size * field
        if slot >= self._shape_size:
            return None
        distance = _read(_SLOT, self._content, self._shape + slot)
        return self._start + distance if distance else None

    def _list(self, field: int) -> tuple[int, int]:
        """Where a list starts, and how many elements it has."""
        at = self._at(field)
        if at is None:
            return 0, 0
        start = self._pointed(at)
        return start + _OFFSET.size, _read(_OFFSET, self._content, start)

    def _pointed(self, at: int) -> int:
        return at + _read(_OFFSET, self._content, at)


def _read(form: struct.Struct, content: bytes, at: int) -> int:
    # A negative position would count from the end.
    if at < 0 or at + form.size > len(content):
        raise ValueError("a position lies outside")
    number: int = form.unpack_from(content, at)[0]
    return number
