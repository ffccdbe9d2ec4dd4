"""Follows logs while they grow and are rotated."""

import time
from collections.abc import Iterator
from pathlib import Path

from cli.logs.bisection import MAX_LINE
from cli.logs.criteria import Criteria
from cli.logs.entries import LogEntry, readable
from cli.logs.heads import LogHead, is_head, read_head
from cli.logs.log_files import current_logs
from stack.rotation import kept_log

FOLLOW_SECONDS = 0.25
"""Seconds between two looks at the files."""
MARK_BYTES = 4096
"""Bytes of what was read last, by which they are found again in the rotated file."""


class FollowedLog:
    """One log, and how far it was read."""

    def __init__(self, path: Path, position: int = 0) -> None:
        """``position``: where the lines begin that are to be read."""
        self.path, self.position = path, position
        self._mark = _before(path, position)
        self._rest = b""
        self._head: LogHead | None = None

    @classmethod
    def at_end(cls, path: Path) -> "FollowedLog":
        """A log of which only lines that are yet to come are read."""
        size = path.stat().st_size
        return cls(path, size - len(_before(path, size).rpartition(b"\n")[2]))

    def entries(self, criteria: Criteria) -> list[LogEntry]:
        """The text that was added since the last look. If more lines of an entry come later, it is
        repeated with these.
        """
        *lines, rest = (self._rest + self._added()).split(b"\n")
        self._rest = rest[:MAX_LINE]
        grown: list[tuple[LogHead | None, list[bytes]]] = [(self._head, [])]
        for line in lines:
            if is_head(line):
                self._head = read_head(line)
                grown.append((self._head, []))
            else:
                grown[-1][1].append(line)
        told = grown if readable(grown[0][1]) else grown[1:]
        return [
            LogEntry(head.at, self.path.name, head.fields, readable(more))
            for head, more in told
            if head and criteria.met_by(head)
        ]

    def _added(self) -> bytes:
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return b""
        missed = b""
        if size < self.position:
            missed, self.position, self._mark = self._end_of_rotated(), 0, b""
        with self.path.open("rb") as file:
            file.seek(self.position)
            added = file.read(size - self.position)
        self.position += len(added)
        self._mark = (self._mark + added)[-MARK_BYTES:]
        return missed + added

    def _end_of_rotated(self) -> bytes:
        """The text that was written between the last look and the rotation."""
        try:
            rotated = kept_log(self.path, 1).read_bytes()
        except FileNotFoundError:  # the disk is full
            return b""
        found = rotated.rfind(self._mark)
        return rotated if found < 0 else rotated[found + len(self._mark) :]


class FollowedHome:
    """All logs of a home, with those that are yet to begin."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._logs = {path: FollowedLog.at_end(path) for path in current_logs(home)}

    @property
    def ends(self) -> dict[Path, int]:
        """Where the lines begin that are yet to be followed."""
        return {path: log.position for path, log in self._logs.items()}

    def look(self, criteria: Criteria) -> list[LogEntry]:
        """The entries that were added since the last look, in order of time."""
        for path in current_logs(self._home):
            self._logs.setdefault(path, FollowedLog(path))
        added = [entry for log in self._logs.values() for entry in log.entries(criteria)]
        return sorted(added, key=lambda entry: entry.at)

    def entries(self, criteria: Criteria) -> Iterator[LogEntry]:
        """Entries as they come, without end."""
        while True:
            yield from self.look(criteria)
            time.sleep(FOLLOW_SECONDS)


def _before(path: Path, position: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(position - MARK_BYTES, 0))
        return file.read(min(position, MARK_BYTES))
