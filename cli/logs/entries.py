"""Reads entries of a log from its end to its beginning."""

from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from cli.logs.criteria import Criteria
from cli.logs.heads import is_head, read_head

BLOCK_BYTES = 2**20
"""Bytes to read at a time."""
MAX_MORE_LINES = 500
"""Lines after the first that are kept of an entry."""


class LogEntry(msgspec.Struct, frozen=True):
    """A line with fields, and the lines after it that have none."""

    at: float
    """Unix seconds."""
    log: str
    """Name of the file, without the number of a rotated one."""
    fields: dict[str, Any]
    more: tuple[str, ...] = ()
    """Lines that follow, such as tracebacks and what models print."""


def blocks_backwards(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """Whole lines between two offsets at which lines begin, in blocks: the last block first."""
    rest = b""
    while end > start:
        size = min(BLOCK_BYTES, end - start)
        end -= size
        file.seek(end)
        block = file.read(size)
        if len(block) < size:  # the log was rotated meanwhile
            return
        block += rest
        rest = b""
        if end > start and b"\n" in block:  # its first line begins in the block before
            cut = block.index(b"\n") + 1
            rest, block = block[:cut], block[cut:]
        yield block


def entries_backwards(name: str, blocks: Iterator[bytes], criteria: Criteria) -> Iterator[LogEntry]:
    """The entries that meet the criteria, the latest first. ``name``: of the log."""
    needles = criteria.needles()
    more: deque[bytes] = deque(maxlen=MAX_MORE_LINES)  # of the next entry, the last line first
    for block in blocks:
        if not _may_hold(block, needles):
            _skip(block, more)
            continue
        for line in reversed(block.split(b"\n")):
            if not is_head(line):
                more.append(line)
                continue
            head = read_head(line) if _may_hold(line, needles) else None
            if head and criteria.met_by(head):
                yield LogEntry(head.at, name, head.fields, readable(reversed(more)))
            more.clear()


def readable(lines: Iterator[bytes] | list[bytes]) -> tuple[str, ...]:
    """The lines that are not blank, as text."""
    return tuple(line.decode(errors="replace") for line in lines if line.strip())


def _may_hold(text: bytes, needles: list[tuple[bytes, ...]]) -> bool:
    return all(any(needle in text for needle in any_of) for any_of in needles)


def _skip(block: bytes, more: deque[bytes]) -> None:
    """Keep the lines before the first entry of a block: they belong to one in the block before."""
    leading = []
    for line in block.split(b"\n", MAX_MORE_LINES):
        if is_head(line):
            more.clear()
            break
        leading.append(line)
    more.extend(reversed(leading))
