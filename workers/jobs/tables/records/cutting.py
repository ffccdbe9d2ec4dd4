"""Cuts files of records into spans, block by block."""

from collections.abc import Iterator
from typing import IO, Self

import msgspec

from tasks.jobs.files.dialect import MAX_RECORD_BYTES
from telemetry.errors import InvalidInput
from workers.jobs.tables.records.records import Records, lacks_quote, records
from workers.jobs.tables.spans import MAX_SPAN, Span

BLOCK = 2**22
"""Bytes searched at a time."""
MAX_RECORD = MAX_RECORD_BYTES
"""Longest record in bytes; a longer one has lost a quote, or the file has another format."""


class Position(msgspec.Struct, frozen=True):
    """The start of a record."""

    byte: int
    line: int

    def forward(self, found: Records, offset: int) -> Self:
        """The position ``offset`` bytes further in a block that starts here."""
        return type(self)(self.byte + offset, self.line + int(found.lines_before(offset)))


def cut(
    file: IO[bytes], start: Position, rows: int, *, quoted: bool, delimiter: bytes
) -> Iterator[Span]:
    """Cut a file, from a position on, into spans of ``rows`` records; blank lines do not count.

    Blank lines between two spans belong to neither. Raises `InvalidInput` if a record is too
    long, or a quoted field does not end.
    """
    begin, have, stop = start, 0, start.byte
    for position, found in _blocks(file, start, quoted=quoted, delimiter=delimiter):
        used = 0
        while used < len(found.stops):
            begin = begin if have else position.forward(found, int(found.starts[used]))
            taken = min(rows - have, len(found.stops) - used)
            used, have = used + taken, have + taken
            stop = position.byte + int(found.stops[used - 1])
            if have == rows:
                yield Span(begin.byte, stop, begin.line, have)
                have = 0
        # Between blocks alone, so a span may be longer by one block.
        if have and position.byte + found.end - begin.byte >= MAX_SPAN:
            yield Span(begin.byte, stop, begin.line, have)
            have = 0
    if have:
        yield Span(begin.byte, stop, begin.line, have)


def _blocks(
    file: IO[bytes], start: Position, *, quoted: bool, delimiter: bytes
) -> Iterator[tuple[Position, Records]]:
    """Records block by block, each with the position of its block."""
    rest, position = b"", start
    last = False
    while not last:
        file.seek(position.byte + len(rest))  # between blocks, the caller may move in the same file
        more = file.read(BLOCK)
        last = len(more) < BLOCK
        data = rest + more
        found = records(data, quoted=quoted, last=last, delimiter=delimiter)
        if len(data) - found.end > MAX_RECORD:
            why = "a quoted field does not end" if quoted else "the record does not end"
            line = position.forward(found, found.end).line
            raise InvalidInput(f"line {line}: {why} within {MAX_RECORD} bytes", line=line)
        if last and quoted:
            _refuse_open_quote(data, found, position, delimiter)
        yield position, found
        rest = data[found.end :]
        position = position.forward(found, found.end)


def _refuse_open_quote(data: bytes, found: Records, position: Position, delimiter: bytes) -> None:
    """Refuse an open quote that spans several lines; within the last line it is a bad row."""
    record = found.last(data)
    if b"\n" in record.rstrip(b"\r\n") and lacks_quote(record, delimiter):
        line = position.forward(found, len(data) - len(record)).line
        raise InvalidInput(f"line {line}: a quoted field does not end", line=line)
