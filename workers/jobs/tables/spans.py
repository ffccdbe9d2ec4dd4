"""Spans, blocks and bad rows: the parts of a file, and the result of reading them."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa

from registry.rows.values import is_missing
from workers.jobs.tables.json_values import JSON, value_of

MAX_SPAN = 2**25
"""Bytes above which a span ends, even with few rows."""
_MAX_ID_CHARS = 200
"""Longest id in the errors file, in characters."""
Lines = Sequence[int] | np.ndarray[Any, np.dtype[np.int64]]


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """Consecutive records of a file, by position."""

    start: int
    """Byte of the first record; for Parquet, its row from 0."""
    stop: int
    """Byte or row after the last record."""
    first_line: int
    """Line of the first record, from 1; for Parquet, its row from 1."""
    rows: int
    """Number of records."""


class BadRow(msgspec.Struct, frozen=True):
    """A row without a prediction: a line of the errors file."""

    line: int
    """Line of its record, from 1; for Parquet, its row from 1."""
    custom_id: str | int | None
    code: str
    message: str


class Block(msgspec.Struct, frozen=True):
    """The rows of a span. ``lines``, ``ids`` and ``carried`` have an entry for bad rows, too."""

    features: Any
    """The good rows as the model's table; undefined if there are none."""
    good: np.ndarray[Any, np.dtype[np.int64]]
    """Positions of the good rows among all rows, ascending."""
    lines: Lines
    ids: pa.ChunkedArray | None
    """Values of the id column, if there is one."""
    carried: pa.Table | None
    """Columns copied to the output: the ids, or all columns on request."""
    bad: list[BadRow]

    @property
    def rows(self) -> int:
        """Number of rows, good and bad."""
        return len(self.lines)

    def bad_row(self, position: int, code: str, message: str) -> BadRow:
        """A bad row, by its position among all rows."""
        custom_id = None if self.ids is None else _plain(self.ids[position])
        return BadRow(int(self.lines[position]), custom_id, code, message)


def _plain(value: pa.Scalar) -> str | int | None:
    """An id as a JSON value for the errors file.

    pandas stores integers as floats if one is missing; these become integers again.
    """
    try:
        found = value.as_py()
        plain = value_of(found) if value.type == JSON and found is not None else found
    except (ValueError, OverflowError):  # invalid UTF-8, or a time outside Python's range
        return None
    # Below 2**53, where a float still has all digits of an integer.
    if isinstance(plain, float) and plain.is_integer() and abs(plain) < 2**53:
        return int(plain)
    if is_missing(plain):
        return None
    if isinstance(plain, bytes):  # an id of a Parquet file; JSON has no bytes
        plain = plain.decode(errors="replace")
    return plain if type(plain) is int else str(plain)[:_MAX_ID_CHARS]


class Source(Protocol):
    """A file of rows, read in spans by a single thread."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of all columns in the file."""

    @property
    def size(self) -> int:
        """Size of the file in the unit of spans: bytes, or rows for Parquet."""

    def spans(self, rows: int) -> Iterator[Span]:
        """Cut the file into spans of about ``rows`` rows.

        Raises `InvalidInput` if the ends of records cannot be found.
        """

    def read(self, span: Span) -> Block:
        """Read a span.

        Raises `InputChanged` if the file has changed, `InvalidInput` if it is broken, and
        `InputUnreadable` if it cannot be read.
        """

    def close(self) -> None:
        """Close the file."""
