"""Finds the ends of CSV and NDJSON records, in blocks that start with a record."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

Offsets = np.ndarray[Any, np.dtype[np.int64]]

_NEWLINE, _RETURN, _QUOTE = b'\n\r"'


class Records(msgspec.Struct, frozen=True):
    """The records of a block, without blank lines."""

    starts: Offsets
    stops: Offsets
    """Offsets after their newlines."""
    end: int
    """End of the last complete record, blank lines included; the rest belongs to the next block."""
    newlines: Offsets
    """All newlines of the block."""

    def cut(self, data: bytes) -> Iterator[bytes]:
        """The bytes of each record."""
        return (data[start:stop] for start, stop in zip(self.starts, self.stops, strict=True))

    def last(self, data: bytes) -> bytes:
        """The last record; empty if there is none."""
        return data[int(self.starts[-1]) :] if len(self.starts) else b""

    def lines_before(self, offset: Any) -> Any:
        """Number of lines that end before an offset, or before each of several."""
        return np.searchsorted(self.newlines, offset)


def records(data: bytes, *, quoted: bool, last: bool, delimiter: bytes = b",") -> Records:
    """Find the records of a block; ``quoted``: newlines in quotes belong to their fields.

    In the ``last`` block, the end of the file ends a record, too.
    """
    octets = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(octets == _NEWLINE)
    stops = (_ends(data, octets, newlines, delimiter) if quoted else newlines) + 1
    if last and (stops[-1] if len(stops) else 0) < len(data):
        stops = np.append(stops, len(data))
    starts = np.concatenate(([0], stops[:-1])) if len(stops) else stops
    end = int(stops[-1]) if len(stops) else 0
    filled = ~_blank(octets, starts, stops)
    return Records(starts[filled], stops[filled], end, newlines)


def lacks_quote(record: bytes, delimiter: bytes) -> bool:
    """Whether a quoted field of the record does not end."""
    return _grammar(delimiter).match(record + b"\n") is None


@lru_cache(maxsize=16)
def _grammar(delimiter: bytes) -> re.Pattern[bytes]:
    """A pattern of one record, as pyarrow and `csv` read it: quotes count where a field starts."""
    # Atomic groups and possessive quantifiers: on a broken record, a pattern that goes back would
    # take time with the square of its length or more.
    own = re.escape(delimiter)
    field = rb'(?>"(?:[^"]++|"")*+"|(?!"))[^' + own + rb"\n]*+"
    return re.compile(rb"(?>" + field + own + rb")*+" + field + rb"\n")


def _blank(octets: Any, starts: Offsets, stops: Offsets) -> Any:
    lengths, first = stops - starts, octets[starts]
    empty = (lengths == 1) & ((first == _NEWLINE) | (first == _RETURN))
    return empty | ((lengths == 2) & (first == _RETURN) & (octets[stops - 1] == _NEWLINE))


def _ends(data: bytes, octets: Any, newlines: Offsets, delimiter: bytes) -> Offsets:
    """Positions of the newlines that end records."""
    if b'"' not in data:
        return newlines
    quotes = np.flatnonzero(octets == _QUOTE)
    if not _regular(octets, quotes, delimiter[0]):
        return _ends_by_grammar(data, _grammar(delimiter))
    outside: Offsets = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    return outside


def _regular(octets: Any, quotes: Offsets, delimiter: int) -> bool:
    """Whether quotes occur only around fields and doubled inside, so that counting them suffices.

    That holds if every other quote is at the start of a field (or doubled), and the ones between
    at the end of one.
    """
    before = octets[quotes[::2] - 1]
    # A quote that is the first byte has nothing before it; -1 would be the last byte.
    before[:1] = _NEWLINE if not quotes[0] else before[:1]
    behind = octets[np.minimum(quotes[1::2] + 1, len(octets) - 1)]
    return bool(
        np.isin(before, (delimiter, _NEWLINE, _QUOTE)).all()
        and np.isin(behind, (delimiter, _NEWLINE, _RETURN, _QUOTE)).all()
    )


def _ends_by_grammar(data: bytes, record: re.Pattern[bytes]) -> Offsets:
    """The ends of records by the pattern, one record after the other."""
    ends = []
    found = record.match(data)
    while found:
        ends.append(found.end() - 1)
        found = record.match(data, found.end())
    return np.array(ends, np.int64)
