"""The first duplicate id is found among any number of rows, in bounded memory."""

import tracemalloc
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from telemetry.errors import InvalidInput
from workers.jobs.tables import duplicate_ids
from workers.jobs.tables.duplicate_ids import DuplicateIds

FEW = 100
"""Rows added at a time."""


def first(ids: list[object]) -> tuple[int, int] | None:
    """The first duplicate among ids on lines 1, 3, 5 and so on."""
    found = DuplicateIds(BytesIO())
    for start in range(0, len(ids), FEW):
        some = ids[start : start + FEW]
        lines = np.arange(start, start + len(some)) * 2 + 1
        found.add(pa.chunked_array([pa.array(some)]), lines)
    return found.first()


def by_hand(ids: list[object]) -> tuple[int, int] | None:
    seen: dict[object, int] = {}
    for index, name in enumerate(ids):
        if name in seen and name is not None:
            return 2 * index + 1, 2 * seen[name] + 1
        seen[name] = index
    return None


@pytest.mark.parametrize("run", [1, 300, 1000, 10**6])
@pytest.mark.parametrize("several", [1, 3, 2000, 100_000, 10**9])
def test_duplicate_ids_are_found_at_the_first(
    monkeypatch: pytest.MonkeyPatch, run: int, several: int
) -> None:
    monkeypatch.setattr(duplicate_ids, "_RUN", run)
    ids: list[object] = np.random.default_rng(several).integers(0, several, 5000).tolist()
    ids[::7] = [None] * len(ids[::7])
    assert first(ids) == by_hand(ids)
    texts = [None if number is None else f"row {number}" for number in ids]
    assert first([*texts]) == by_hand([*texts])


def test_rows_without_ids_have_no_duplicates() -> None:
    assert DuplicateIds(BytesIO()).first() is None
    assert first([None] * 250) is None


@pytest.mark.unmeasured
@pytest.mark.parametrize("several", [1, 10**15], ids=["all the same", "none the same"])
def test_memory_does_not_grow_with_the_rows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, several: int
) -> None:
    monkeypatch.setattr(duplicate_ids, "_RUN", 2**13)
    few, many = (peak(tmp_path / f"{rows}", rows, several) for rows in (2**15, 2**18))
    # The start of each bucket takes about 1 byte per row here; real runs are longer.
    assert many - few < 2**18 * 1.5


def peak(path: Path, rows: int, several: int) -> int:
    """Peak memory in bytes."""
    random = np.random.default_rng(0)
    tracemalloc.start()
    try:
        with path.open("w+b") as file:
            found = DuplicateIds(file)
            for start in range(0, rows, 2**12):
                ids = pa.array(random.integers(0, several, 2**12))
                found.add(pa.chunked_array([ids]), range(start, start + 2**12))
            assert (found.first() is None) == (several > 1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([2**62], pa.timestamp("us")),
        pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")),
    ],
    ids=["a time beyond all calendars", "no UTF-8"],
)
def test_ids_without_a_value_are_refused(ids: pa.Array) -> None:
    with pytest.raises(InvalidInput, match="id column"):
        DuplicateIds(BytesIO()).add(pa.chunked_array([ids]), np.arange(1))
