"""Finds the rows of a chunk that end the process which computes them.

A process that dies cannot say which row it died of. So what is about to be tried is written down
before, and whoever takes the chunk up next halves what its predecessor died of.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from telemetry.errors import WorkerLost

MOST_VAIN = 4
"""Deaths of a chunk's processes, in a row, while no row was tried; then something else is wrong."""
MOST_DEADLY = 100
"""Deadly rows of one chunk; beyond it, its model is to blame."""
Range = tuple[int, int]


class _Notes(msgspec.Struct):
    untried: list[Range] = []
    trying: Range | None = None
    lived: list[Range] = []
    """Tried; each can be asked as a whole."""
    struck: list[int] = []
    """Rows that a process died of once; perhaps it was chance."""
    deadly: list[int] = []
    vain: int = 0


class Journal:
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

    def narrow(self, rows: int, attempt: int, call: Callable[[range], object]) -> list[range]:
        """Which of so many rows can be asked together; what is in none of these is deadly.

        Nothing is tried before a process has died.
        """
        if attempt == 1:
            return [range(rows)]
        notes = self._read()
        if notes.trying:
            self._condemn(notes, *notes.trying)
        if not (notes.untried or notes.lived or notes.deadly):
            notes.untried = [(0, rows)]
        while notes.untried:
            notes.trying = notes.untried.pop(0)
            self._write(notes)
            call(range(*notes.trying))
            notes.lived.append(notes.trying)
            notes.trying, notes.vain = None, 0
        self._write(notes)
        return [range(*lived) for lived in sorted(notes.lived)]

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
        draft = self._path.with_suffix(".tmp")
        draft.write_bytes(msgspec.json.encode(notes))
        draft.replace(self._path)
