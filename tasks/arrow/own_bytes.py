"""Whether the texts of an Arrow stream have bytes of their own.

A few bytes point to a text. If thousands of them pointed to one long text, Arrow's library would
copy it each time, and a process whose memory is limited aborts there.
"""

import struct

from tasks.arrow.flat_table import FlatTable

_BYTE = struct.Struct("<B")
_KEY, _VALUE = 0, 1
"""Fields of a pair of metadata."""
_PAIR_BYTES = 16
"""Bytes that a pair takes at least, beside its texts."""
_NAME, _TYPE_KIND, _TYPE, _COLUMN_METADATA = 0, 2, 3, 6
"""Fields of a column's description."""
_TIMESTAMP, _TIMEZONE = 10, 1
"""A kind of type, and the field with its time zone."""


class OwnBytes:
    """The bytes that texts may take; each method raises `ValueError` once they take more."""

    def __init__(self, size: int) -> None:
        """``size``: bytes of all that is read."""
        self._left = size

    def count_column(self, column: FlatTable) -> None:
        """Count the texts of a column's description."""
        self._count(column.text_size(_NAME))
        self.count_metadata(column, _COLUMN_METADATA)
        kind = column.table(_TYPE)
        if kind is not None and column.number(_TYPE_KIND, _BYTE) == _TIMESTAMP:
            self._count(kind.text_size(_TIMEZONE))

    def count_metadata(self, table: FlatTable, field: int) -> None:
        """Count the pairs of metadata in a field of a table."""
        for pair in table.tables(field, self._left // _PAIR_BYTES):
            self._count(_PAIR_BYTES + pair.text_size(_KEY) + pair.text_size(_VALUE))

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise ValueError("texts share their bytes")
