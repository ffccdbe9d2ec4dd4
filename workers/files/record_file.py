"""A file of records, CSV or NDJSON: its head, its spans, their bytes and lines."""

from collections.abc import Iterator
from typing import IO

from telemetry.errors import InputChanged, InvalidInput
from workers.files.cutting import BLOCK, MAX_RECORD, Place, cut
from workers.files.opening import Watch
from workers.files.records import Records, records
from workers.files.spans import Lines, Span

_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")


class RecordFile:
    """Bytes by spans, of a file that must not change."""

    def __init__(self, uri: str, file: IO[bytes], *, quoted: bool) -> None:
        """``quoted`` newlines do not end a record."""
        self._watch = Watch(uri)
        self._file = file
        self._quoted = quoted

    def spans(self, rows: int, start: Place, after: Span | None) -> Iterator[Span]:
        """See `Source`."""
        if after:
            start = Place(after.stop, after.first_line + self.read(after).count(b"\n"))
        for span in cut(self._file, start, rows, quoted=self._quoted):
            self._watch.refuse_change()
            yield span
        self._watch.refuse_change()

    def read(self, span: Span) -> bytes:
        """The bytes of a span; raises `InputChanged`."""
        with self._watch.reading():
            self._file.seek(span.start)
            data = self._file.read(span.stop - span.start)
        if len(data) < span.stop - span.start:
            raise InputChanged("the file is shorter than it was")
        return data

    def lines(self, data: bytes, span: Span) -> Lines:
        """Where the records of a span begin; most often each is a line."""
        if data.count(b"\n") + (not data.endswith(b"\n")) == span.rows:
            return range(span.first_line, span.first_line + span.rows)
        found = records(data, quoted=self._quoted, last=True)
        lines: Lines = found.lines_before(found.starts) + span.first_line
        return lines

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_head(file: IO[bytes], *, quoted: bool) -> tuple[bytes, Records, int]:
    """The file's beginning, with two records if there are; and the bytes of the mark before it.

    Raises `InvalidInput` where there is no record, or no text in UTF-8.
    """
    head = file.read(BLOCK)
    if head.startswith(_WIDE) or b"\0" in head[:1024]:
        raise InvalidInput("line 1: the file is no text in UTF-8; save it as such", line=1)
    start = len(_BOM) if head.startswith(_BOM) else 0
    head = head[start:]
    last = False
    found = records(head, quoted=quoted, last=False)
    while len(found.stops) < 2 and not last and len(head) < 2 * MAX_RECORD:
        more = file.read(BLOCK)
        head, last = head + more, not more
        found = records(head, quoted=quoted, last=last)
    if not len(found.stops):
        raise InvalidInput("the file is empty")
    return head, found, start
