"""Finds duplicate ids on disk, in memory that does not grow with the number of rows."""

from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from telemetry.errors import InvalidInput
from workers.jobs.tables.json_values import JSON, texts
from workers.jobs.tables.spans import Lines
from workers.models.tabular.columns import Array

_RUN = 2**18
"""Rows per sorted run."""
_BUCKETS = 2**10
"""Equal ranges of digests; runs are merged a few ranges at a time."""
_BORDERS = np.arange(_BUCKETS, dtype=np.uint64) * np.uint64(2**64 // _BUCKETS)
_ROW = np.dtype([("digest", np.uint64), ("other", np.uint64), ("line", np.int64)])
"""Two digests with different keys: at 128 bits, different ids do not collide in practice."""


class DuplicateIds:
    """The ids so far, as sorted runs of their digests in a file."""

    def __init__(self, file: IO[bytes]) -> None:
        """``file`` is empty; it grows by 24 bytes per row."""
        self._file = file
        self._rows = 0
        self._starts: list[Array] = []
        """For each run, the row of the file at which each bucket starts, and the end of the run."""
        self._gathered: list[Array] = []
        self._found: list[tuple[int, int]] = []

    def add(self, ids: pa.ChunkedArray, lines: Lines) -> None:
        """Add the ids of some rows, in order; nulls are no ids."""
        self._gathered.append(_digested(ids, lines))
        if sum(map(len, self._gathered)) >= _RUN:
            self._keep()

    def first(self) -> tuple[int, int] | None:
        """Line of the first row with an earlier row's id, and that row's line; None if unique."""
        if self._gathered:
            self._keep()
        # So that all runs together give about one run's rows at a time.
        step = max(_BUCKETS // max(len(self._starts), 1), 1)
        for start in range(0, _BUCKETS if self._starts else 0, step):
            stop = min(start + step, _BUCKETS)
            runs = [self._read(starts[start], starts[stop]) for starts in self._starts]
            self._singled(np.concatenate(runs))
        return min(self._found, default=None)

    def _keep(self) -> None:
        """Write the gathered rows as a run; only the first row of each id is kept."""
        rows, self._gathered = self._singled(np.concatenate(self._gathered)), []
        starts = np.append(np.searchsorted(rows["digest"], _BORDERS), len(rows))
        self._starts.append(starts + self._rows)
        self._rows += len(rows)
        self._file.write(rows.tobytes())

    def _read(self, start: int, stop: int) -> Array:
        self._file.seek(int(start) * _ROW.itemsize)
        return np.frombuffer(self._file.read(int(stop - start) * _ROW.itemsize), _ROW)

    def _singled(self, rows: Array) -> Array:
        """Sort rows, and keep the first row of each id; notes the earliest duplicate."""
        rows = rows[np.lexsort((rows["other"], rows["digest"]))]  # stable: equal ids stay in order
        same = _equals_next(rows["digest"]) & _equals_next(rows["other"])
        if same.any():
            one, other = rows["line"][:-1][same], rows["line"][1:][same]
            least = int(np.argmin(other))
            self._found.append((int(other[least]), int(one[least])))
        single = np.ones(len(rows), bool)
        single[1:] = ~same
        return rows[single]


def _equals_next(values: Array) -> Array:
    equal: Array = values[1:] == values[:-1]
    return equal


def _digested(ids: pa.ChunkedArray, lines: Lines) -> Array:
    known = ids.is_valid().to_numpy()
    told = texts(ids) if ids.type == JSON else ids
    found = np.array([*map(str, _values(told))], dtype=object)[known]
    rows = np.empty(len(found), _ROW)
    # Python keys the hash of a text anew for each process, so no input can be made to collide. The
    # digests do not outlive the process.
    rows["digest"] = np.fromiter(map(hash, found), np.int64, len(found)).view(np.uint64)
    rows["other"] = pd.util.hash_array(found, categorize=False)
    rows["line"] = np.asarray(lines)[known]
    return rows


def _values(ids: pa.ChunkedArray) -> list[Any]:
    try:
        values: list[Any] = ids.to_pylist()
    except (ValueError, OverflowError) as error:  # a time beyond all calendars, or no UTF-8
        raise InvalidInput(
            f"the id column contains a value that cannot be an id: {error}"
        ) from error
    return values
