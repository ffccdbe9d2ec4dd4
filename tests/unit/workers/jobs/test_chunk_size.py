"""Chunks take about 1.5 seconds each, and each process gets several per job."""

from types import SimpleNamespace
from typing import Any

import pytest

from workers.jobs.validation import chunk_size
from workers.jobs.validation.chunk_size import (
    CHUNK_SECONDS,
    CHUNKS_PER_PROCESS,
    MAX_CHUNK_BYTES,
    MIN_CHUNK_SECONDS,
    Speed,
    measure,
    rows_per_chunk,
)


@pytest.mark.parametrize(
    ("per_row", "rows", "processes", "expected"),
    [
        (1e-3, 10_000_000, 2, CHUNK_SECONDS / 1e-3),  # long jobs: by time
        (1e-3, 16_000, 2, 16_000 / 2 / CHUNKS_PER_PROCESS),  # short jobs: by share
        (1e-3, 16_000, 8, 16_000 / 8 / CHUNKS_PER_PROCESS),
        (1e-3, 10, 2, MIN_CHUNK_SECONDS / 1e-3),  # not too small for the overhead
        (1e-9, 10**12, 2, MAX_CHUNK_BYTES / 8 / 20),  # not too large for memory
        (30.0, 100, 2, 1),
    ],
)
def test_rows_of_a_chunk(per_row: float, rows: int, processes: int, expected: float) -> None:
    assert rows_per_chunk(Speed(per_row, 1.0), 20, rows, processes) == int(expected)


def test_bytes_are_counted_where_rows_are_not_known() -> None:
    of_rows = rows_per_chunk(Speed(1e-3, 1.0), 20, 16_000, 2)
    assert rows_per_chunk(Speed(1e-3, 50.0), 20, 16_000 * 50, 2) == of_rows


@pytest.mark.parametrize("disturbed", [0, 1])
def test_measurement_that_was_disturbed_is_repeated(
    monkeypatch: pytest.MonkeyPatch, disturbed: int
) -> None:
    clock, calls = [0.0], list[int]()

    def answer(_: Any, rows: slice) -> None:
        hiccup = 0.09 if len(calls) == disturbed else 0.0
        calls.append(rows.stop - rows.start)
        clock[0] += 0.001 + 1e-4 * calls[-1] + hiccup

    monkeypatch.setattr(chunk_size.time, "perf_counter", lambda: clock[0])
    model: Any = SimpleNamespace(answer=answer)
    speed = measure(model, None, range(1000), 1.0)
    # The disturbance makes rows look up to twice as slow; chunks are then a bit small.
    assert 1e-4 * 0.99 < speed.per_row < 2.01e-4
    assert len(calls) == (2 if disturbed else 4)


def test_overhead_of_a_call_is_not_charged_to_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def answer(_: Any, rows: slice) -> None:
        clock[0] += 0.1 + 1e-5 * (rows.stop - rows.start)

    monkeypatch.setattr(chunk_size.time, "perf_counter", lambda: clock[0])
    model: Any = SimpleNamespace(answer=answer)
    assert measure(model, None, range(1000), 1.0).per_row == pytest.approx(1e-5)
    assert measure(model, None, range(10), 1.0).per_row == pytest.approx(
        0.1001 / 10 / chunk_size.MAX_RATIO
    )


def test_measurement_of_a_long_call_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = [0.0], list[int]()

    def answer(_: Any, rows: slice) -> None:
        calls.append(rows.stop - rows.start)
        clock[0] += 20.0

    monkeypatch.setattr(chunk_size.time, "perf_counter", lambda: clock[0])
    model: Any = SimpleNamespace(answer=answer)
    measure(model, None, range(1000), 1.0)
    assert calls == [chunk_size.SMALL_CALL_ROWS, chunk_size.LARGE_CALL_ROWS]
