"""Searches all logs of a home, the newest lines first."""

import heapq
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from cli.logs.bisection import end_of, start_of
from cli.logs.criteria import Criteria
from cli.logs.entries import LogEntry, blocks_backwards, entries_backwards
from cli.logs.log_files import current_logs, with_rotated


def search(
    home: Path, criteria: Criteria, limit: int, ends: Mapping[Path, int] | None = None
) -> list[LogEntry]:
    """The newest entries that meet the criteria, at most ``limit``, in order of time.

    ``ends``: bytes of a log after which nothing is searched.
    """
    logs = [_entries(log, criteria, (ends or {}).get(log)) for log in current_logs(home)]
    newest = heapq.merge(*logs, key=lambda entry: entry.at, reverse=True)
    return list(islice(newest, limit))[::-1]


def _entries(log: Path, criteria: Criteria, known_end: int | None) -> Iterator[LogEntry]:
    for path in with_rotated(log):
        with path.open("rb") as file:
            size = path.stat().st_size if known_end is None or path != log else known_end
            start, end = start_of(file, size, criteria.since), end_of(file, size, criteria.until)
            yield from entries_backwards(log.name, blocks_backwards(file, start, end), criteria)
        if start > 0:  # what was rotated is older
            return
