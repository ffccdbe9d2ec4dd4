"""Reads Parquet by ranges of rows; memory is bounded by the range, whatever a row group holds."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from registry.manifest import Column, Signature
from telemetry.errors import Detail, InputUnreadable, InvalidInput
from workers.files.features import gather
from workers.files.matching import match
from workers.files.opening import Watch
from workers.files.spans import Block, Span

_BATCH = 16384
"""Rows that are decoded at a time."""
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
        wanted = match(signature, self.columns, id_column)
        self._features = [self.columns[place] for place in wanted.features]
        self._id = None if wanted.id is None else self.columns[wanted.id]
        self._pass_through = pass_through
        needed = dict.fromkeys([*self._features, *([self._id] if self._id is not None else [])])
        self._needed = [*self.columns] if pass_through else list(needed)
        _check_types(signature, [schema.field(name) for name in self._features])
        self._borders = _borders(self._parquet.metadata)
        if not self.rows:
            raise InvalidInput(f"{uri} has no rows")
        self._stream: Iterator[pa.RecordBatch] = iter(())
        self._waiting: pa.RecordBatch | None = None
        self._next = self.rows

    @property
    def rows(self) -> int:
        """Number of rows in the file."""
        return self._borders[-1]

    def spans(self, rows: int, after: Span | None = None) -> Iterator[Span]:
        """See `Source`; a span ends with a row group where that is about as long."""
        start = after.stop if after else 0
        while start < self.rows:
            stop = self._stop(start, rows)
            yield Span(start, stop, start + 1, stop - start)
            start = stop

    def read(self, span: Span) -> Block:
        """See `Source`."""
        with self._watch.reading(), _telling(self._uri):
            table = self._table(span.start, span.stop)
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

    def close(self) -> None:
        """See `Source`."""
        self._parquet.close()
        self._file.close()

    def _carried(self, table: pa.Table) -> pa.Table | None:
        if self._pass_through:
            return table
        return None if self._id is None else table.select([self._id])

    def _stop(self, start: int, rows: int) -> int:
        least, most = start + max(rows // 2, 1), start + rows + rows // 4
        near = self._borders[bisect_left(self._borders, least) : bisect_right(self._borders, most)]
        return near[-1] if near else min(start + rows, self.rows)

    def _table(self, start: int, stop: int) -> pa.Table:
        self._move_to(start)
        batches = []
        while self._next < stop:
            batches.append(self._take(stop - self._next))
        return pa.Table.from_batches(batches)

    def _move_to(self, row: int) -> None:
        """Go on where the stream is, or begin at the row group, whichever is nearer."""
        group = bisect_right(self._borders, row) - 1
        if not self._borders[group] <= self._next <= row:
            groups = range(group, len(self._borders) - 1)
            self._stream = self._parquet.iter_batches(
                _BATCH, row_groups=groups, columns=self._needed, use_threads=False
            )
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


def _borders(metadata: pq.FileMetaData) -> list[int]:
    """First rows of the row groups, and the number of all rows."""
    groups = (metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    return [0, *accumulate(groups)]


def _check_types(signature: Signature, fields: list[pa.Field]) -> None:
    details = [
        Detail((field.name,), f"column {field.name!r} holds {field.type}, the model takes {taken}")
        for column, field in zip(signature.columns, fields, strict=True)
        if not _takes(column, field.type) and (taken := f"a {column.type}")
    ]
    if details:
        raise InvalidInput(details[0].msg, errors=details[:20])


def _takes(column: Column, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    number = any(
        matches(kind)
        for matches in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    )
    text = any(
        matches(kind)
        for matches in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )
    boolean = pa.types.is_boolean(kind)
    nothing = pa.types.is_null(kind)
    kinds = {"number": number, "string": text, "boolean": boolean, "any": number | text | boolean}
    return bool(kinds[column.type] or nothing)


@contextmanager
def _telling(uri: str) -> Iterator[None]:
    try:
        yield
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"{uri} is no Parquet file that can be read: {error}") from error
    except OSError as error:  # pyarrow says so of broken pages, too
        kind = InputUnreadable if error.errno else InvalidInput
        raise kind(f"{uri} cannot be read: {error}") from error
