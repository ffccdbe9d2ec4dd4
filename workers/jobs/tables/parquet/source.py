"""The Parquet source: spans are ranges of rows. Memory depends on the span, not the row group."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.jobs.files.file_refs import local_path
from telemetry.errors import InvalidInput
from workers.jobs.tables.matching import Selection, match, refuse_double
from workers.jobs.tables.parquet.shape import check_types, group_borders, max_span_rows
from workers.jobs.tables.parquet.stream import ParquetStream
from workers.jobs.tables.remote.opening import InputWatch, unreadable
from workers.jobs.tables.spans import Block, Span
from workers.memory_limit import MAX_DECODED_BYTES, bounded
from workers.models.tabular.features import gather

_SAMPLE = 1000
"""Rows from which the size of a row is estimated."""
_NEAR, _FAR = 2**16, 2**20
"""Bytes of a column read at a time, from a local and a remote file: there, each is a request."""


class ParquetSource:
    """A Parquet file as a `Source`. Reading continues from the last span, decoding skipped rows."""

    def __init__(self, uri: str, file: IO[bytes], selection: Selection) -> None:
        """Raises `InvalidInput` if the file is broken or lacks columns of the model."""
        self._uri = uri
        self._signature = selection.signature
        self._watch = InputWatch(uri)
        self._file = file
        with _telling(uri):
            buffer = _FAR if local_path(uri) is None else _NEAR
            self._parquet = pq.ParquetFile(self._file, pre_buffer=False, buffer_size=buffer)
            schema = self._parquet.schema_arrow
        self.columns: Sequence[str] = schema.names
        wanted = match(selection, self.columns)
        self._features = [None if n is None else self.columns[n] for n in wanted.features]
        self._id = None if wanted.id is None else self.columns[wanted.id]
        self._carried = [self.columns[index] for index in wanted.carried]
        self._needed = [*dict.fromkeys([*self._carried, *_present(self._features)])]
        refuse_double(self._needed, self.columns)  # pyarrow selects columns by name
        fields = [None if name is None else schema.field(name) for name in self._features]
        check_types(selection.signature, fields)
        self._borders = group_borders(self._parquet.metadata)
        if not self.size:
            raise InvalidInput(f"{uri} has no rows")
        self._stream = ParquetStream(self._parquet, self._needed, self._borders)

    @property
    def size(self) -> int:
        """See `Source`."""
        return self._borders[-1]

    def spans(self, rows: int) -> Iterator[Span]:
        """See `Source`; a span ends with a row group if that makes it about as long."""
        with self._watch.reading(), _telling(self._uri):
            rows = min(rows, max_span_rows(self._parquet.metadata, self._needed, self._seen))
        start = 0
        while start < self.size:
            stop = self._stop(start, rows)
            yield Span(start, stop, start + 1, stop - start)
            start = stop

    def read(self, span: Span) -> Block:
        """See `Source`."""
        with self._watch.reading(), _telling(self._uri):
            return self._block(span, self._stream.rows(span.start, span.stop))

    def close(self) -> None:
        """See `Source`."""
        self._parquet.close()
        self._file.close()

    @cached_property
    def _seen(self) -> float:
        """Bytes per row of the first rows; 0 if all columns have a fixed width of up to 8 bytes."""
        schema = self._parquet.schema_arrow
        if all(pa.types.is_primitive(schema.field(name).type) for name in self._needed):
            return 0.0
        first = self._stream.first(_SAMPLE)
        return float(first.nbytes / max(first.num_rows, 1))

    def _block(self, span: Span, table: pa.Table) -> Block:
        columns = [None if name is None else table[name] for name in self._features]
        features = gather(self._signature, columns)
        block = Block(
            features=features.input,
            good=features.good,
            lines=range(span.first_line, span.first_line + span.rows),
            ids=None if self._id is None else table[self._id],
            carried=table.select(self._carried) if self._carried else None,
            bad=[],
        )
        block.bad.extend(
            block.bad_row(row, "invalid_features", what) for row, what in features.faults.items()
        )
        return block

    def _stop(self, start: int, rows: int) -> int:
        least, most = start + max(rows // 2, 1), start + rows + rows // 4
        near = self._borders[bisect_left(self._borders, least) : bisect_right(self._borders, most)]
        return near[-1] if near else min(start + rows, self.size)


def _present(names: Sequence[str | None]) -> list[str]:
    return [name for name in names if name is not None]


@contextmanager
def _telling(uri: str) -> Iterator[None]:
    try:
        with bounded(MAX_DECODED_BYTES):
            yield
    except MemoryError as error:  # ArrowMemoryError is an ArrowException, too
        what = f"some rows take more than {MAX_DECODED_BYTES // 2**20} MiB once they are decoded"
        raise InvalidInput(f"{uri} cannot be read: {what}") from error
    except OSError as error:  # pyarrow raises it for broken pages, too, without a number
        if error.errno:
            raise unreadable(uri, error) from error
        raise InvalidInput(f"{uri} cannot be read: {error}") from error
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise InvalidInput(f"{uri} is not a readable Parquet file: {error}") from error
