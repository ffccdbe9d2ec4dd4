"""The NDJSON source: an object per line, or a list if the model has no column names."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO, Any

import msgspec
import numpy as np
import pyarrow as pa

from tasks.wire import decode
from telemetry.errors import InvalidInput, Malformed
from workers.jobs.tables.json_values import column_of, rewritten
from workers.jobs.tables.matching import Selection, match
from workers.jobs.tables.ndjson.rows import UNREADABLE, careful_reader, quick_reader
from workers.jobs.tables.records.cutting import Position
from workers.jobs.tables.records.record_file import RecordFile
from workers.jobs.tables.records.records import records
from workers.jobs.tables.spans import Block, Lines, Span
from workers.models.tabular.table import Table

_SAMPLE = 1000
"""Lines at the start whose names are the file's columns."""
LineContent = dict[str, msgspec.Raw]
"""Name → value as written in the line."""
_objects = msgspec.json.Decoder(dict[str, Any])
_contents = msgspec.json.Decoder(LineContent)


class NdjsonSource:
    """An NDJSON file as a `Source`. Its columns are those of the first lines."""

    def __init__(self, uri: str, file: IO[bytes], selection: Selection) -> None:
        """Raises `InvalidInput` if the first lines are broken or lack columns of the model."""
        self._signature = signature = selection.signature
        self._file = RecordFile(uri, file, quoted=False)
        self._columns, self._start = _first_lines(self._file)
        names: Sequence[str | None] | None = None
        self._id: str | None = None
        self._carried: Sequence[str] = ()
        if self._columns is not None:
            wanted = match(selection, self._columns)
            names = [None if n is None else self._columns[n] for n in wanted.features]
            self._id = None if wanted.id is None else self._columns[wanted.id]
            self._carried = [self._columns[index] for index in wanted.carried]
        elif signature.named:
            raise InvalidInput("line 1: the model has column names, so a line is an object", line=1)
        self._quick = quick_reader(signature, names)
        self._careful = careful_reader(signature, names)

    @property
    def columns(self) -> Sequence[str]:
        """See `Source`; empty if lines are lists."""
        return self._columns or []

    @property
    def size(self) -> int:
        """See `Source`."""
        return self._file.size

    def spans(self, rows: int) -> Iterator[Span]:
        """See `Source`."""
        return self._file.spans(rows, self._start)

    def read(self, span: Span) -> Block:
        """See `Source`."""
        data = self._file.read(span)
        lines = self._file.lines(data, span)
        # The whole span in one call, if nothing is doubtful; else each line by itself, to find the
        # bad ones.
        rows = self._quick(data) if _one_a_line(data, span.rows) else None
        contents = self._contents(data) if rows is not None else None
        if rows is not None and contents is not None and len(rows) == span.rows:
            return self._block(rows, np.arange(len(rows)), lines, contents)
        found = records(data, quoted=False, last=True)
        return self._with_bad([*found.cut(data)], lines)

    def close(self) -> None:
        """See `Source`."""
        self._file.close()

    def _contents(self, data: bytes) -> list[LineContent] | None:
        """The contents of each line, if columns are copied to the output; None if any is broken."""
        if not self._carried:
            return []
        try:
            _objects.decode_lines(data)  # validate fully: `Raw` values are not parsed
            return _contents.decode_lines(data)
        except UNREADABLE:
            return None

    def _carried_of(self, record: bytes) -> LineContent:
        """The contents of one line; values that strict JSON lacks, such as NaN, are rewritten."""
        if read := self._contents(record):
            return read[0]
        content = _content(record)
        return {n: rewritten(v) for n, v in content.items()} if type(content) is dict else {}

    def _with_bad(self, records: list[bytes], lines: Lines) -> Block:
        read = [*map(self._careful, records)]
        good = [index for index, line in enumerate(read) if line.row is not None]
        rows = [line.row for line in read if line.row is not None]
        contents = [self._carried_of(record) for record in records] if self._carried else []
        block = self._block(rows, np.array(good, np.int64), lines, contents)
        block.bad.extend(
            block.bad_row(index, line.code, line.message)
            for index, line in enumerate(read)
            if line.row is None
        )
        return block

    def _block(
        self, rows: list[Any], good: Any, lines: Lines, contents: list[LineContent]
    ) -> Block:
        columns = {name: column_of(row.get(name) for row in contents) for name in self._carried}
        return Block(
            features=Table.of(self._signature, rows) if rows else None,
            good=good,
            lines=lines,
            ids=None if self._id is None else columns[self._id],
            carried=pa.table(columns) if columns else None,
            bad=[],
        )


def _first_lines(file: RecordFile) -> tuple[list[str] | None, Position]:
    """Names in the first objects, None if lines are lists; and the position of the first row."""
    head, found, start = file.head()
    contents = [*filter(None, map(_content, islice(found.cut(head), _SAMPLE)))]
    if not contents:
        raise InvalidInput("line 1: the line must be a JSON object", line=1)
    names = dict.fromkeys(name for content in contents if type(content) is dict for name in content)
    return [*names] if type(contents[0]) is dict else None, Position(start, 1)


def _content(line: bytes) -> Any:
    """The object or list in a line, else None."""
    try:
        content = decode(line)
    except Malformed:
        return None
    return content if type(content) in (dict, list) else None


def _one_a_line(data: bytes, rows: int) -> bool:
    """Whether every record is exactly one line, given that all are valid.

    To msgspec a newline is white space, so that it also accepts several values on a line.
    """
    borders = (b"}\n{", b"}\r\n{", b"]\n[", b"]\r\n[")
    return sum(map(data.count, borders)) == rows - 1
