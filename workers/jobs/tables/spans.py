"""What a file is cut into and what reading gives: spans, blocks, bad rows."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa

from registry.values import is_missing
from workers.jobs.tables.ndjson.values import JSON, value_of

MAX_SPAN = 2**25
"""Bytes after which a span ends, however few rows it has."""
_LONGEST_ID = 200
"""Letters of an id that the errors file repeats."""
Lines = Sequence[int] | np.ndarray[Any, np.dtype[np.int64]]


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """Consecutive records of a file, by reference."""

    start: int
    """Byte of the first record, or its row from 0 in Parquet."""
    stop: int
    """The same of the first record behind."""
    first_line: int
    """Line that it begins with, from 1; in Parquet its first row, from 1."""
    rows: int
    """Number of records."""


class BadRow(msgspec.Struct, frozen=True):
    """A row without a prediction: a line of the errors file."""

    line: int
    """Where its record begins, from 1; in Parquet its row, from 1."""
    custom_id: str | int | None
    code: str
    message: str


class Block(msgspec.Struct, frozen=True):
    """What a span holds. What has an entry a row has one for bad rows too."""

    features: Any
    """The good rows as the model takes them, an array or a data frame; without meaning where
    there are none."""
    good: np.ndarray[Any, np.dtype[np.int64]]
    """Positions of the good rows among all, ascending."""
    lines: Lines
    ids: pa.ChunkedArray | None
    """What the id column holds, where there is one."""
    carried: pa.Table | None
    """The input's columns that go into the output: the ids, or on request all."""
    bad: list[BadRow]

    @property
    def rows(self) -> int:
        """Number of rows, good and bad."""
        return len(self.lines)

    def bad_row(self, position: int, code: str, message: str) -> BadRow:
        """The row at this position among all, as one that has no prediction."""
        custom_id = None if self.ids is None else _plain(self.ids[position])
        return BadRow(int(self.lines[position]), custom_id, code, message)


def _plain(value: pa.Scalar) -> str | int | None:
    """An id as every reader of the errors takes it.

    Whole numbers are floats in a data frame where one of them is missing.
    """
    try:
        found = value.as_py()
        plain = value_of(found) if value.type == JSON and found is not None else found
    except (ValueError, OverflowError):  # no UTF-8, or a time that Python has no word for
        return None
    if isinstance(plain, float) and plain.is_integer() and abs(plain) < 2**53:
        return int(plain)
    if is_missing(plain):
        return None
    if isinstance(plain, bytes):
        plain = plain.decode(errors="replace")
    return plain if type(plain) is int else str(plain)[:_LONGEST_ID]


class Source(Protocol):
    """A file that is read in spans, by one thread."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of all columns in the file."""

    @property
    def size(self) -> int:
        """Of the file, in what spans are counted in: bytes, or rows in Parquet."""

    def spans(self, rows: int) -> Iterator[Span]:
        """Cut the file into spans of about so many rows.

        Raises `InvalidInput` where no record can be told from the next.
        """

    def read(self, span: Span) -> Block:
        """Read a span.

        Raises `InputChanged` where the file is not what it was, `InvalidInput` where it is broken,
        `InputUnreadable` where it cannot be read at all.
        """

    def close(self) -> None:
        """Close the file."""
