"""A batch job as its page shows it: a grid of chunks, the first errors."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from tasks.jobs.job import LineError
from tasks.jobs.ledger import Part

MAX_CELLS = 600
"""Cells of the grid; in longer jobs a cell stands for several chunks."""
FIRST_ERRORS = 20
"""Bad rows that the page shows."""
MAX_ERROR_LINE = 2**16
"""Bytes of a line of the errors file; a longer one ends the list."""
Kind = Literal["waiting", "running", "done", "flawed"]
"""``flawed``: done, but with bad rows."""


class Cell(msgspec.Struct, frozen=True):
    """One cell of the grid."""

    kind: Kind
    text: str
    """The chunks and rows of the cell, in words."""


def grid(chunks: int, parts: Mapping[int, Part], running: Collection[int]) -> list[Cell]:
    """The cells of a job of so many chunks, which are numbered from 0."""
    per_cell = max(-(-chunks // MAX_CELLS), 1)
    return [
        _cell(range(first, min(first + per_cell, chunks)), parts, running)
        for first in range(0, chunks, per_cell)
    ]


def _cell(chunks: range, parts: Mapping[int, Part], running: Collection[int]) -> Cell:
    settled = [parts[chunk] for chunk in chunks if chunk in parts]
    failed = sum(part.failed for part in settled)
    name = f"chunk {chunks[0]}" if len(chunks) == 1 else f"chunks {chunks[0]} to {chunks[-1]}"
    if any(chunk in running for chunk in chunks):
        return Cell("running", f"{name}: is being computed")
    if len(settled) < len(chunks):
        return Cell("waiting", f"{name}: {len(settled)} of {len(chunks)} done")
    rows = sum(part.succeeded for part in settled)
    return Cell("flawed" if failed else "done", f"{name}: {rows} rows, {failed} bad rows")


def first_errors(files: Iterable[Path]) -> list[LineError]:
    """The first bad rows of the errors files."""
    return list(islice(_errors(files), FIRST_ERRORS))


def _errors(files: Iterable[Path]) -> Iterator[LineError]:
    for path in files:
        try:
            yield from _errors_in(path)
        except (OSError, msgspec.DecodeError):  # swept meanwhile, or still being written
            return


def _errors_in(path: Path) -> Iterator[LineError]:
    with path.open("rb") as file:
        while line := file.readline(MAX_ERROR_LINE):
            yield msgspec.json.decode(line, type=LineError)
