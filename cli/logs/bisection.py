"""Finds where a time lies in a log, without reading what is before it."""

from typing import BinaryIO

from cli.logs.heads import read_head

NEAR_BYTES = 2**16
"""Bytes at which the search ends: reading them costs as little as another look."""
MAX_LINE = 2**20
"""Bytes of the longest line; a longer one is read in pieces."""
DISORDER_SECONDS = 10.0
"""How much earlier than the line before it a line may be: processes write to one file."""


def start_of(file: BinaryIO, size: int, moment: float) -> int:
    """Where a line begins that is before every line of this time or a later one."""
    return _around(file, size, moment - DISORDER_SECONDS)[0]


def end_of(file: BinaryIO, size: int, moment: float) -> int:
    """Where a line begins that is after every line of this time or an earlier one, or ``size``."""
    file.seek(_around(file, size, moment + DISORDER_SECONDS)[1])
    file.readline(MAX_LINE)
    return min(file.tell(), size)


def _around(file: BinaryIO, size: int, moment: float) -> tuple[int, int]:
    """Where an earlier line begins, or 0; and an offset after which no line is earlier."""
    low, high = 0, size
    while high - low > NEAR_BYTES:
        middle = (low + high) // 2
        found = _head_after(file, middle, high)
        if found is None or found[1] >= moment:
            high = middle
        else:
            low = found[0]
    return low, high


def _head_after(file: BinaryIO, offset: int, end: int) -> tuple[int, float] | None:
    """Offset and time of the first entry that begins after an offset, and before ``end``."""
    file.seek(offset)
    file.readline(MAX_LINE)  # the rest of the line in which the offset lies
    while (begins := file.tell()) < end:
        line = file.readline(MAX_LINE)
        if not line:  # the log was rotated meanwhile
            return None
        if head := read_head(line.rstrip(b"\n")):
            return begins, head.at
    return None
