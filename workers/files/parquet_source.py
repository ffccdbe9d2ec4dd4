"""Reads Parquet by ranges of rows; memory is bounded by the range, whatever a row group holds."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from registry.manifest import Signature
from telemetry.errors import InputUnreadable, InvalidInput
from workers.files.features import gather
from workers.files.matching import match
from workers.files.opening import Watch
from workers.files.parquet_shape import check_types, group_borders, most_rows
from workers.files.spans import Block, Span

_BATCH = 2**20
"""Values that are decoded at a time."""
_SAMPLE = 1000
"""Rows that tell how large one is."""
_BUFFER = 2**20
"""Bytes of a column that are read at a time."""


class ParquetSource:
    """See `Source`. Spans that are read in order decode each row once."""

    def __init__(
        self,
        uri: str,
        file: IO[bytes],
        signature: Signature,
        id_column: str | None,
        pass_through: bool,
    ) -> None:
        """Raises `InvalidInput` where the file is broken or lacks what the model takes."""
        self._uri = uri
        self._signature = signature
        self._watch = Watch(uri)
        self._file = file
        with _telling(uri):
            self._parquet = pq.ParquetFile(self._file, pre_buffer=False, buffer_size=_BUFFER)
            schema = self._parquet.schema_arrow
        self.columns: Sequence[str] = schema.names
        wanted = match(signature, self.columns, id_column, pass_through=pass_through)
        self._features = [self.columns[place] for place in wanted.features]
        self._id = None if wanted.id is None else self.columns[wanted.id]
        self._pass_through = pass_through
        needed = dict.fromkeys([*self._features, *([self._id] if self._id is not None else [])])
        self._needed = [*self.columns] if pass_through else list(needed)
        check_types(signature, [schema.field(name) for name in self._features])
        self._borders = group_borders(self._parquet.metadata)
        if not self.rows:
            raise InvalidInput(f"{uri} has no rows")
        self._stream: Iterator[pa.RecordBatch] = iter(())
        self._waiting: pa.RecordBatch | None = None
        self._next = self.rows

    @property
    def rows(self) -> int:
        """Number of rows in the file."""
        return self._borders[-1]

    def spans(self, rows: int) -> Iterator[Span]:
        """See `Source`; a span ends with a row group where that is about as long."""
        with self._watch.reading(), _telling(self._uri):
            first = next(self._batches(_SAMPLE, 0))
            rows = min(rows, most_rows(self._parquet.metadata, first))
        start = 0
        while start < self.rows:
            stop = self._stop(start, rows)
            yield Span(start, stop, start + 1, stop - start)
            start = stop

    def read(self, span: Span) -> Block:
        """See `Source`."""
        with self._watch.reading(), _telling(self._uri):
            try:
                return self._block(span, self._table(span.start, span.stop))
            except BaseException:
                self._next = self.rows  # nobody knows what the stream gives after that
                raise

    def close(self) -> None:
        """See `Source`."""
        self._parquet.close()
        self._file.close()

    def _block(self, span: Span, table: pa.Table) -> Block:
        features = gather(self._signature, [table[name] for name in self._features])
        block = Block(
            features=features.input,
            good=features.good,
            lines=range(span.first_line, span.first_line + span.rows),
            ids=None if self._id is None else table[self._id],
            carried=self._carried(table),
            bad=[],
        )
        block.bad.extend(
            block.bad_row(row, "invalid_features", what) for row, what in features.faults.items()
        )
        return block

    def _carried(self, table: pa.Table) -> pa.Table | None:
        if self._pass_through:
            return table
        return None if self._id is None else table.select([self._id])

    def _stop(self, start: int, rows: int) -> int:
        least, most = start + max(rows // 2, 1), start + rows + rows // 4
        near = self._borders[bisect_left(self._borders, least) : bisect_right(self._borders, most)]
        return near[-1] if near else min(start + rows, self.rows)

    def _table(self, start: int, stop: int) -> pa.Table:
        self._move_to(start, stop - start)
        batches = []
        while self._next < stop:
            batches.append(self._take(stop - self._next))
        return pa.Table.from_batches(batches)

    def _batches(self, rows: int, group: int) -> Iterator[pa.RecordBatch]:
        """What is needed of all rows from a group on, at most so many rows at a time."""
        groups = range(group, len(self._borders) - 1)
        batches: Iterator[pa.RecordBatch] = self._parquet.iter_batches(
            rows, row_groups=groups, columns=self._needed, use_threads=False
        )
        return batches

    def _move_to(self, row: int, most: int) -> None:
        """Go on where the stream is, or begin at the row group, whichever is nearer.

        Then at most so many rows are decoded at a time.
        """
        group = bisect_right(self._borders, row) - 1
        if not self._borders[group] <= self._next <= row:
            self._stream = self._batches(min(most, max(_BATCH // len(self._needed), 1)), group)
            self._next, self._waiting = self._borders[group], None
        while self._next < row:
            self._take(row - self._next)

    def _take(self, rows: int) -> pa.RecordBatch:
        """At most so many of the next rows."""
        batch = self._waiting or next(self._stream, None)
        if batch is None:
            raise InvalidInput(f"{self._uri} ends after row {self._next} of {self.rows}")
        rows = min(rows, batch.num_rows)
        self._waiting = batch.slice(rows) if rows < batch.num_rows else None
        self._next += rows
        return batch.slice(0, rows)


@contextmanager
def _telling(uri: str) -> Iterator[None]:
    try:
        yield
    except MemoryError:  # Arrow's own are Arrow's exceptions, too
        raise
    except OSError as error:  # pyarrow says so of broken pages, too
        kind = InputUnreadable if error.errno else InvalidInput
        raise kind(f"{uri} cannot be read: {error}") from error
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise InvalidInput(f"{uri} is no Parquet file that can be read: {error}") from error
