"""A file of records (CSV or NDJSON): its first records, its spans, their bytes and lines."""

import os
from collections.abc import Iterator
from functools import cached_property
from typing import IO

from tasks.jobs.files.dialect import SNIFF_BYTES
from telemetry.errors import InputChanged, InvalidInput
from workers.jobs.tables.records.cutting import BLOCK, MAX_RECORD, Position, cut
from workers.jobs.tables.records.records import Records, records
from workers.jobs.tables.remote.opening import InputWatch
from workers.jobs.tables.spans import Lines, Span

_BOM = b"\xef\xbb\xbf"
_MARKED = 1024
"""Bytes searched for a NUL, which UTF-16 has in most texts and UTF-8 in none."""
_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""Byte order marks of UTF-16."""


class RecordFile:
    """Reads spans of a file that must not change meanwhile."""

    def __init__(self, uri: str, file: IO[bytes], *, quoted: bool) -> None:
        """``quoted``: newlines in quotes do not end a record."""
        self._watch = InputWatch(uri)
        self._file = file
        self._quoted = quoted
        self.delimiter = b","
        """Quotes open a field only after it; the CSV source sets it before reading records."""

    @cached_property
    def size(self) -> int:
        """Bytes of the file, cached, since it takes a request for a remote file."""
        with self._watch.reading():
            return self._file.seek(0, os.SEEK_END)

    def opening(self) -> tuple[bytes, int]:
        """The first bytes after a byte order mark, and the mark's length.

        Raises `InvalidInput` if the file is not UTF-8.
        """
        with self._watch.reading():
            start = _mark(self._file.read(_MARKED))
            self._file.seek(start)
            return self._file.read(min(BLOCK, SNIFF_BYTES)), start

    def head(self, start: int | None = None) -> tuple[bytes, Records, int]:
        """The result of `first_records` from ``start``, by default after the mark, and ``start``.

        Raises `InvalidInput` as `opening` and `first_records`.
        """
        with self._watch.reading():
            if start is None:
                self._file.seek(0)
                start = _mark(self._file.read(_MARKED))
            self._file.seek(start)
            head, found = first_records(self._file, quoted=self._quoted, delimiter=self.delimiter)
        return head, found, start

    def spans(self, rows: int, start: Position) -> Iterator[Span]:
        """See `Source`."""
        spans = cut(self._file, start, rows, quoted=self._quoted, delimiter=self.delimiter)
        while span := self._next(spans):
            yield span

    def read(self, span: Span) -> bytes:
        """The bytes of a span; raises `InputChanged` if the file has changed."""
        with self._watch.reading():
            self._file.seek(span.start)
            data = self._file.read(span.stop - span.start)
        if len(data) < span.stop - span.start:
            raise InputChanged("the file became shorter while it was read")
        return data

    def _next(self, spans: Iterator[Span]) -> Span | None:
        with self._watch.reading():
            return next(spans, None)

    def lines(self, data: bytes, span: Span) -> Lines:
        """First line of each record of a span; a range if each record is one line."""
        # The usual case, told by counting: to find the records again takes as long as cutting them.
        if data.count(b"\n") + (not data.endswith(b"\n")) == span.rows:
            return range(span.first_line, span.first_line + span.rows)
        found = records(data, quoted=self._quoted, last=True, delimiter=self.delimiter)
        lines: Lines = found.lines_before(found.starts) + span.first_line
        return lines

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _mark(head: bytes) -> int:
    if head.startswith(_WIDE) or b"\0" in head:
        raise InvalidInput("line 1: the file is not UTF-8 text; save it as such", line=1)
    return len(_BOM) if head.startswith(_BOM) else 0


def first_records(
    file: IO[bytes], *, quoted: bool, delimiter: bytes = b","
) -> tuple[bytes, Records]:
    """The start of a file, at least two records long if there are two, and its records.

    Raises `InvalidInput` if there is none, or if they are too long.
    """
    head, last = file.read(BLOCK), False
    found = records(head, quoted=quoted, last=False, delimiter=delimiter)
    # Two records, since the second one may tell whether the first one is a header.
    while len(found.stops) < 2 and not last:
        # Two records of the greatest length would have ended by now.
        if len(head) > 2 * MAX_RECORD:
            line = 1 + int(found.lines_before(found.end))
            raise InvalidInput(f"line {line}: no record ends within {len(head)} bytes", line=line)
        more = file.read(BLOCK)
        head, last = head + more, not more
        found = records(head, quoted=quoted, last=last, delimiter=delimiter)
    if not len(found.stops):
        raise InvalidInput("the file is empty")
    return head, found
