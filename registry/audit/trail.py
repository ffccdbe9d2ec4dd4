"""The files of the audit log: lines are appended, and each holds the hash of the one before."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from registry.audit.entry import NO_LINE, AuditEntry, AuditLine, hash_of
from registry.storage.files import append_lines, locked, rename

AuditPart = Literal["changes", "refusals"]
AUDIT_PARTS: tuple[AuditPart, ...] = "changes", "refusals"
AUDIT_DIRECTORY = "audit"
CLOSED_AT_BYTES = 8 * 2**20
"""Bytes at which a file is closed."""
MAX_CLOSED_FILES = 8
"""Closed files that are kept; beyond them the oldest one is deleted."""
LONGEST_LINE_BYTES = 2**14
"""Bytes that a line may have at most: what an entry holds of a request is bounded."""
_line = msgspec.json.Decoder(AuditLine)
log = logging.getLogger(__name__)


class Broken(Exception):
    """A line of the audit log is not the one that was written."""


class AuditTrail:
    """One part of the audit log of a home. Any number of processes may append.

    Changes and refusals are apart, so that refusals, which anyone can cause, displace no change.
    """

    def __init__(self, home: Path, part: AuditPart = "changes") -> None:
        self._directory = home / AUDIT_DIRECTORY / part
        self._current = self._directory / "current.jsonl"

    def append(self, *entries: AuditEntry) -> None:
        """Add entries durably. Raises `OSError` if the disk takes none."""
        with locked(self._directory / "lock"):
            last = self._last_line()
            if last and self._current.exists():
                self._close_if_full(last)
            append_lines(self._current, list(_chained(last, entries)))

    def lines(self) -> Iterator[AuditLine]:
        """The lines that are kept, oldest first, without those that cannot be read."""
        for raw in self._raw():
            with suppress(Broken):
                yield _read(raw)

    def verify(self, expected: str = NO_LINE) -> tuple[int, str]:
        """Check that each line has the hash of the one before, and the next number.

        Returns how many lines there are, and the hash of the last one. The first line that is
        kept cannot be verified. Raises `Broken` for the first wrong line, or if no line has the
        hash ``expected``.
        """
        hashes = set[str]()
        before, number = None, 0
        for raw in self._raw():
            line = _read(raw)
            if before is not None and (line.before, line.id) != (before, number + 1):
                raise Broken(f"line {line.id} does not follow the line before it, {number}")
            before, number = hash_of(raw), line.id
            hashes.add(before)
        if expected and expected not in hashes:
            raise Broken(f"no line has the hash {expected}")
        return len(hashes), before or NO_LINE

    def _raw(self) -> Iterator[bytes]:
        with locked(self._directory / "lock"):  # none is closed meanwhile
            opened = [path.open("rb") for path in [*self._closed(), self._current] if path.exists()]
        for file in opened:
            with file:
                # The line that is being written has no end yet.
                yield from (line[:-1] for line in file if line.endswith(b"\n"))

    def _closed(self) -> list[Path]:
        """The files before the current one, oldest first."""
        return sorted(self._directory.glob("until-*.jsonl"))

    def _last_line(self) -> bytes:
        """The last whole line, without its end; empty if there is none."""
        for path in (self._current, *reversed(self._closed())):
            if path.exists() and (found := _last_of(path)):
                return found
        return b""

    def _close_if_full(self, last: bytes) -> None:
        if self._current.stat().st_size < CLOSED_AT_BYTES:
            return
        rename(self._current, self._directory / f"until-{_number(last):012}.jsonl")
        for old in self._closed()[:-MAX_CLOSED_FILES]:
            old.unlink()


def _chained(last: bytes, entries: Sequence[AuditEntry]) -> Iterator[bytes]:
    """Lines for these entries, after the line ``last``."""
    for place, entry in enumerate(entries, _number(last) + 1):
        before = hash_of(last) if last else NO_LINE
        last = msgspec.json.encode(
            AuditLine(**msgspec.structs.asdict(entry), id=place, before=before)
        )
        yield last + b"\n"


def _last_of(path: Path) -> bytes:
    """The last whole line of a file. The rest of a line that a crash left behind it is logged and
    ignored.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - 2 * LONGEST_LINE_BYTES, 0))
        *whole, torn = file.read().split(b"\n")
    if torn:
        log.warning("the audit log ends with a part of a line, which is removed")
    return whole[-1] if whole else b""


def _number(line: bytes) -> int:
    """The number of a line; 0 for no line, and for one that was altered, which `verify` finds."""
    with suppress(Broken):
        return _read(line).id
    return 0


def _read(raw: bytes) -> AuditLine:
    try:
        return _line.decode(raw)
    except msgspec.DecodeError as error:
        raise Broken(f"a line cannot be read: {error}") from error
