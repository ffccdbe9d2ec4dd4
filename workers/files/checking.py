"""Looks over a file before it is scored: are its rows rows, and its ids of one row each."""

import numpy as np
import pandas as pd

from telemetry.errors import Detail, InvalidInput
from workers.files.features import Array
from workers.files.spans import BadRow, Block, Source

_ROWS = 10_000
"""Rows that are looked at at a time."""
_TOLD = 100
_DETAILS = 20


def check(source: Source) -> list[BadRow]:
    """Look at all rows; gives the first bad ones, at most a hundred.

    Where there are ids, memory grows with them: by 16 bytes each, and three times as much at the
    end. Raises `InvalidInput` where no row is good or two have the same id, and where reading does.
    """
    rows, bad, first_bad = 0, 0, list[BadRow]()
    ids = _Ids()
    for span in source.spans(_ROWS):
        block = source.read(span)
        ids.add(block)
        rows, bad = rows + block.rows, bad + len(block.bad)
        first_bad += sorted(block.bad, key=lambda row: row.line)[: _TOLD - len(first_bad)]
    _refuse_hopeless(rows, bad, first_bad)
    ids.refuse_double()
    return first_bad


def _refuse_hopeless(rows: int, bad: int, first_bad: list[BadRow]) -> None:
    if bad < rows:
        return
    first = first_bad[0]
    raise InvalidInput(
        f"none of {rows} rows can be scored; line {first.line}: {first.message}",
        errors=[Detail(("line", row.line), row.message) for row in first_bad[:_DETAILS]],
        line=first.line,
    )


class _Ids:
    """Digests of the ids that were seen, and their lines."""

    def __init__(self) -> None:
        self._digests: list[Array] = []
        self._lines: list[Array] = []

    def add(self, block: Block) -> None:
        """Note those of a block."""
        if block.ids is None:
            return
        values = np.array([*map(str, block.ids.to_pylist())], dtype=object)
        known = block.ids.is_valid().to_numpy()
        self._digests.append(pd.util.hash_array(values[known], categorize=False))
        self._lines.append(np.asarray(block.lines)[known])

    def refuse_double(self) -> None:
        """Raise `InvalidInput` where two are the same."""
        if not self._digests:
            return
        digests, lines = np.concatenate(self._digests), np.concatenate(self._lines)
        order = np.argsort(digests, kind="stable")
        same = np.flatnonzero(digests[order[1:]] == digests[order[:-1]])
        if len(same):
            second = same[np.argmin(lines[order[same + 1]])]
            one, other = int(lines[order[second]]), int(lines[order[second + 1]])
            raise InvalidInput(f"line {other}: the id is that of line {one}, too", line=other)
