"""Finds the rows of a chunk that crash their process, by bisection across crash retries.

A process that dies cannot report the row. So it notes in a file which rows it is about to try, and
the next attempt at the chunk halves the rows that killed its predecessor.
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from telemetry.errors import WorkerLost

MAX_CRASHES_OUTSIDE_ROWS = 8
"""Consecutive crashes of a chunk outside any row after which the chunk fails with `WorkerLost`.

More than processes killed from outside, such as by the OOM killer, would explain."""
MAX_DEADLY_ROWS = 100
"""Deadly rows of one chunk above which the model itself is to blame."""
Range = tuple[int, int]


class _Notes(msgspec.Struct):
    """Another attempt may be of an earlier release, so the file has the names of that time."""

    untried: list[Range] = []
    """Ranges to be asked for, in this order."""
    trying: Range | None = None
    """The range that a process computes; the next process finds it here if this one died."""
    survived: list[Range] = msgspec.field(name="lived", default_factory=list)
    """Ranges that did not crash the process; each could be asked as a whole."""
    suspect: list[int] = msgspec.field(name="struck", default_factory=list)
    """Rows during which a process died once, perhaps by chance; a second time makes a row
    deadly."""
    deadly: list[int] = []
    crashes_outside_rows: int = msgspec.field(name="vain", default=0)
    """Consecutive crashes outside any row."""


class CrashJournal:
    """The known crashes of one chunk, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, attempt: int) -> None:
        """Start an attempt; raises `WorkerLost` after too many crashes outside rows."""
        if attempt == 1:
            self.close()  # crashes from before the job was resumed: their cause may be gone
            return
        notes = self._read()
        if notes.trying:  # the crash has rows to blame; `narrow` halves them
            return
        notes.crashes_outside_rows += 1
        if notes.crashes_outside_rows > MAX_CRASHES_OUTSIDE_ROWS:
            raise WorkerLost(f"a chunk ended its process {attempt - 1} times")
        self._write(notes)

    def narrow(self, rows: int, attempt: int, ask: Callable[[range], object]) -> None:
        """Ask for rows 0 to ``rows``, by ranges, leaving out deadly rows.

        The first attempt asks for one range, and notes nothing. Later ones note each range before
        asking for it, so that the next attempt halves the one that crashed. Ranges answered by an
        earlier process are asked for again, as its answers died with it.
        """
        if attempt == 1:
            # Without notes, which would cost each chunk of each job a write. Crashes are rare, and
            # one without notes costs one attempt more.
            ask(range(rows))
            return
        notes = self._read()
        if notes.trying:
            self._halve(notes, *notes.trying)
        if not (notes.untried or notes.survived or notes.deadly):
            notes.untried = [(0, rows)]
        # Counted before the loop, which appends the ranges that this process answers itself.
        again = len(notes.survived)
        while notes.untried:
            self._ask(notes, notes.untried, ask)
            notes.crashes_outside_rows = (
                0  # here and not below, where crashes outside the rows would repeat without end
            )
        for _ in range(again):
            self._ask(notes, notes.survived, ask)

    def _ask(self, notes: _Notes, ranges: list[Range], ask: Callable[[range], object]) -> None:
        """Ask for the first of these ranges."""
        notes.trying = trying = ranges.pop(0)
        self._write(notes)
        try:
            ask(range(*trying))
        except Exception:
            # An error is no crash: if the step is retried, these rows are not to blame for its end.
            self._note_survived(notes, trying)
            raise
        self._note_survived(notes, trying)

    def _note_survived(self, notes: _Notes, rows: Range) -> None:
        notes.survived.append(rows)
        notes.trying = None
        self._write(notes)

    def close(self) -> None:
        """Delete the journal: the chunk is settled."""
        self._path.unlink(missing_ok=True)

    def _halve(self, notes: _Notes, first: int, end: int) -> None:
        """Note that a process died while it computed these rows: halve them, or mark a single row
        as deadly.
        """
        middle = (first + end) // 2
        notes.trying, notes.crashes_outside_rows = None, 0
        if middle > first:
            # In front: the rows to blame are found before further ranges are asked for.
            notes.untried[:0] = [(first, middle), (middle, end)]
        elif first not in notes.suspect:
            notes.suspect.append(first)
            notes.untried.insert(0, (first, end))
        else:
            notes.deadly.append(first)
        if len(notes.deadly) > MAX_DEADLY_ROWS:
            raise WorkerLost(f"more than {MAX_DEADLY_ROWS} rows of a chunk ended their process")

    def _read(self) -> _Notes:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Notes)
        except FileNotFoundError:
            return _Notes()

    def _write(self, notes: _Notes) -> None:
        # A worker whose reservations had expired may write at the same time.
        draft = self._path.with_suffix(f".{os.getpid()}.tmp")
        # Not synced: a crash of the machine says nothing about rows, so its notes may be lost.
        draft.write_bytes(msgspec.json.encode(notes))
        draft.replace(self._path)
