"""Reads rows of a Parquet file by their numbers; in order, it goes on where it was."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from telemetry.errors import InvalidInput

_BATCH = 2**20
"""Values that are decoded at a time."""


class ParquetStream:
    """Some columns of a file; stays where it was."""

    def __init__(
        self, file: pq.ParquetFile, columns: Sequence[str], borders: Sequence[int]
    ) -> None:
        """``borders`` are the first rows of the groups, and the number of all rows."""
        self._file, self._columns, self._borders = file, columns, borders
        self._forget()

    def first(self, rows: int) -> pa.RecordBatch:
        """At most so many rows of the beginning; the stream stays where it is."""
        return next(self._batches(rows, 0))

    def rows(self, start: int, stop: int) -> pa.Table:
        """The rows from one to before another; raises what reading does, and can be asked again."""
        batches = []
        try:
            self._move_to(start, stop - start)
            while self._next < stop:
                batches.append(self._take(stop - self._next))
        except BaseException:
            self._forget()  # nobody knows what the stream gives after that
            raise
        return pa.Table.from_batches(batches)

    def _forget(self) -> None:
        self._stream: Iterator[pa.RecordBatch] = iter(())
        self._waiting: pa.RecordBatch | None = None
        self._next, self._rows = self._borders[-1], 0

    def _move_to(self, row: int, most: int) -> None:
        """Go on where the stream is, or begin at the row group, whichever is nearer.

        At most so many rows are decoded at a time, and not much fewer: each time costs.
        """
        group = bisect_right(self._borders, row) - 1
        rows = min(most, max(_BATCH // len(self._columns), 1))
        if self._rows < rows // 2 or not self._borders[group] <= self._next <= row:
            self._stream, self._rows = self._batches(rows, group), rows
            self._next, self._waiting = self._borders[group], None
        while self._next < row:
            self._take(row - self._next)

    def _batches(self, rows: int, group: int) -> Iterator[pa.RecordBatch]:
        """All rows from a group on, at most so many at a time."""
        groups = range(group, len(self._borders) - 1)
        batches: Iterator[pa.RecordBatch] = self._file.iter_batches(
            rows, row_groups=groups, columns=self._columns, use_threads=False
        )
        return batches

    def _take(self, rows: int) -> pa.RecordBatch:
        """At most so many of the next rows."""
        batch = self._waiting or next(self._stream, None)
        if batch is None:
            raise InvalidInput(f"the file ends after row {self._next} of {self._borders[-1]}")
        rows = min(rows, batch.num_rows)
        self._waiting = batch.slice(rows) if rows < batch.num_rows else None
        self._next += rows
        return batch.slice(0, rows)
