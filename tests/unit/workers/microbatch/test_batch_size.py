"""How many rows a batch may have, learnt from what batches took."""

from collections.abc import Callable

import pytest

from workers.microbatch.batch_size import MAX_BATCH_SECONDS, MOST_ROWS, BatchSize


def settled(seconds_for: Callable[[int], float], batches: int = 12) -> BatchSize:
    """The pace after so many batches, each as large as it may be, under a steep backlog."""
    pace = BatchSize()
    for _ in range(batches):
        pace.took(pace.rows, seconds_for(pace.rows))
    return pace


def test_the_first_batch_is_a_single_request() -> None:
    assert BatchSize().rows == 1


@pytest.mark.parametrize("seconds", [0.004, 0.2, 3.0])
def test_a_model_that_needs_as_long_for_many_gets_many(seconds: float) -> None:
    assert settled(lambda rows: seconds).rows == MOST_ROWS


@pytest.mark.parametrize("a_row", [0.01, 0.2, 3.0])
def test_a_model_that_takes_its_time_for_each_row_keeps_nobody_waiting_long(a_row: float) -> None:
    assert a_row * settled(lambda rows: a_row * rows).rows <= max(MAX_BATCH_SECONDS, 2 * a_row)


def test_one_slow_batch_is_not_held_against_it_for_long() -> None:
    pace = settled(lambda rows: 0.004)
    pace.took(256, 60.0)  # the machine was asleep
    assert pace.rows < MOST_ROWS
    pace.took(pace.rows, 0.004)
    assert pace.rows == MOST_ROWS


def test_no_time_at_all_is_a_time() -> None:
    pace = BatchSize()
    pace.took(1, 0.0)
    assert pace.rows == MOST_ROWS
