"""Finds the rows of a chunk that end the process which computes them.

A process that dies cannot say which row it died of. So what is about to be tried is written down
before, and whoever takes the chunk up next halves what its predecessor died of.
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from telemetry.errors import WorkerLost

MOST_VAIN = 8
"""Deaths of a chunk's processes, in a row, while no row was asked: then something else is wrong.

So many as do not come of processes that are killed from outside, however often."""
MOST_DEADLY = 100
"""Deadly rows of one chunk; beyond it, its model is to blame."""
Range = tuple[int, int]


class _Notes(msgspec.Struct):
    untried: list[Range] = []
    trying: Range | None = None
    lived: list[Range] = []
    """Tried; each could be asked as a whole."""
    struck: list[int] = []
    """Rows that a process died of once; perhaps it was chance."""
    deadly: list[int] = []
    vain: int = 0


class CrashJournal:
    """What is known of the deaths of one chunk, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, attempt: int) -> None:
        """Somebody takes the chunk up; raises `WorkerLost` where that was in vain too often."""
        if attempt == 1:
            self.close()  # what it died of before the job was resumed may be mended
            return
        notes = self._read()
        if notes.trying:
            return
        notes.vain += 1
        if notes.vain > MOST_VAIN:
            raise WorkerLost(f"a chunk ended its process {attempt - 1} times")
        self._write(notes)

    def narrow(self, rows: int, attempt: int, ask: Callable[[range], object]) -> None:
        """Ask all of so many rows, by ranges, but those that are deadly.

        Before a process has died that is one range, and nothing is written down. Afterwards each
        range is, while it is asked: so whatever a process dies of is halved by the next one. What
        lived in another process is asked again, since its answers died with that.
        """
        if attempt == 1:
            ask(range(rows))
            return
        notes = self._read()
        if notes.trying:
            self._condemn(notes, *notes.trying)
        if not (notes.untried or notes.lived or notes.deadly):
            notes.untried = [(0, rows)]
        again = len(notes.lived)
        while notes.untried:
            self._ask(notes, notes.untried, ask)
            notes.vain = 0  # unlike below: who dies beside the rows would be tried for ever
        for _ in range(again):
            self._ask(notes, notes.lived, ask)

    def _ask(self, notes: _Notes, ranges: list[Range], ask: Callable[[range], object]) -> None:
        """Ask the first of these ranges."""
        notes.trying = trying = ranges.pop(0)
        self._write(notes)
        try:
            ask(range(*trying))
        except Exception:
            self._has_lived(notes, trying)
            raise
        self._has_lived(notes, trying)

    def _has_lived(self, notes: _Notes, rows: Range) -> None:
        notes.lived.append(rows)
        notes.trying = None
        self._write(notes)

    def close(self) -> None:
        """The chunk is settled."""
        self._path.unlink(missing_ok=True)

    def _condemn(self, notes: _Notes, first: int, end: int) -> None:
        """A process died of these rows."""
        middle = (first + end) // 2
        notes.trying, notes.vain = None, 0
        if middle > first:
            notes.untried[:0] = [(first, middle), (middle, end)]
        elif first not in notes.struck:
            notes.struck.append(first)
            notes.untried.insert(0, (first, end))
        else:
            notes.deadly.append(first)
        if len(notes.deadly) > MOST_DEADLY:
            raise WorkerLost(f"more than {MOST_DEADLY} rows of a chunk ended their process")

    def _read(self) -> _Notes:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Notes)
        except FileNotFoundError:
            return _Notes()

    def _write(self, notes: _Notes) -> None:
        # One that was taken for dead may write at this moment, too.
        draft = self._path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_bytes(msgspec.json.encode(notes))
        draft.replace(self._path)
