"""Reads rows of a Parquet file by number; reading in order continues without seeking."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from telemetry.errors import InvalidInput

_BATCH = 2**20
"""Values decoded at a time."""


class ParquetStream:
    """A position in some columns of a file."""

    def __init__(
        self, file: pq.ParquetFile, columns: Sequence[str], borders: Sequence[int]
    ) -> None:
        """``borders``: first rows of the row groups, followed by the number of rows."""
        self._file, self._columns, self._borders = file, columns, borders
        self._forget()

    def first(self, rows: int) -> pa.RecordBatch:
        """At most ``rows`` rows from the start of the file; the position does not change.

        Raises `InvalidInput` if there is none, although the metadata counts some.
        """
        batch = next(self._batches(rows, 0), None)
        if batch is None:
            raise InvalidInput(f"the file ends after row 0 of {self._borders[-1]}")
        return batch

    def rows(self, start: int, stop: int) -> pa.Table:
        """The rows from ``start`` up to ``stop``; safe to call again after an error."""
        batches = []
        try:
            self._move_to(start, stop - start)
            while self._next < stop:
                batches.append(self._take(stop - self._next))
        except BaseException:
            self._forget()  # the iterator's state is unknown after an error
            raise
        return pa.Table.from_batches(batches)

    def _forget(self) -> None:
        self._stream: Iterator[pa.RecordBatch] = iter(())
        self._waiting: pa.RecordBatch | None = None
        self._next, self._rows = self._borders[-1], 0

    def _move_to(self, row: int, most: int) -> None:
        """Move to a row, from the current position or its row group's start, whichever is nearer.

        Up to ``most`` rows are decoded at a time. A stream with much smaller steps is restarted,
        since each step has a fixed cost.
        """
        group = bisect_right(self._borders, row) - 1
        rows = min(most, max(_BATCH // len(self._columns), 1))
        if self._rows < rows // 2 or not self._borders[group] <= self._next <= row:
            self._stream, self._rows = self._batches(rows, group), rows
            self._next, self._waiting = self._borders[group], None
        # Decoded and thrown away: a row group cannot be entered in its middle.
        while self._next < row:
            self._take(row - self._next)

    def _batches(self, rows: int, group: int) -> Iterator[pa.RecordBatch]:
        """All rows from a row group on, in batches of at most ``rows``."""
        groups = range(group, len(self._borders) - 1)
        batches: Iterator[pa.RecordBatch] = self._file.iter_batches(
            rows, row_groups=groups, columns=self._columns, use_threads=False
        )
        return batches

    def _take(self, rows: int) -> pa.RecordBatch:
        """At most ``rows`` of the next rows."""
        batch = self._waiting or next(self._stream, None)
        if batch is None:
            raise InvalidInput(f"the file ends after row {self._next} of {self._borders[-1]}")
        rows = min(rows, batch.num_rows)
        self._waiting = batch.slice(rows) if rows < batch.num_rows else None
        self._next += rows
        return batch.slice(0, rows)
