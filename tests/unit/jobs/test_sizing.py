"""Chunks take about a second and a half each, and every process has several of a job."""

import pytest

from workers.jobs.sizing import AIM, LARGEST, LEAST, SHARES, Speed, rows_per_chunk


@pytest.mark.parametrize(
    ("per_row", "rows", "processes", "expected"),
    [
        (1e-3, 10_000_000, 2, AIM / 1e-3),  # long ones: by time
        (1e-3, 16_000, 2, 16_000 / 2 / SHARES),  # short ones: by share
        (1e-3, 16_000, 8, 16_000 / 8 / SHARES),
        (1e-3, 10, 2, LEAST / 1e-3),  # no chunk is too small to be worth it
        (1e-9, 10**12, 2, LARGEST / 8 / 20),  # nor too large for memory
        (30.0, 100, 2, 1),
    ],
)
def test_rows_of_a_chunk(per_row: float, rows: int, processes: int, expected: float) -> None:
    assert rows_per_chunk(Speed(per_row, 1.0), 20, rows, processes) == int(expected)


def test_bytes_are_counted_where_rows_are_not_known() -> None:
    of_rows = rows_per_chunk(Speed(1e-3, 1.0), 20, 16_000, 2)
    assert rows_per_chunk(Speed(1e-3, 50.0), 20, 16_000 * 50, 2) == of_rows
