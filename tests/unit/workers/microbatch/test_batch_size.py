"""The batch size is learnt from the run times of microbatches."""

from collections.abc import Callable

import pytest

from workers.microbatch.batch_size import MAX_MICROBATCH_SECONDS, MAX_ROWS, BatchSize


def settled(seconds_for: Callable[[int], float], batches: int = 12) -> BatchSize:
    """The batch size after ``batches`` microbatches of the largest allowed size."""
    batch_size = BatchSize()
    for _ in range(batches):
        batch_size.learn(batch_size.rows, seconds_for(batch_size.rows))
    return batch_size


def test_batch_size_is_one_at_first() -> None:
    assert BatchSize().rows == 1


@pytest.mark.parametrize("seconds", [0.004, 0.2, 3.0])
def test_batch_size_grows_for_a_model_of_constant_time(seconds: float) -> None:
    assert settled(lambda rows: seconds).rows == MAX_ROWS


@pytest.mark.parametrize("a_row", [0.01, 0.2, 3.0])
def test_batch_size_stays_small_for_a_model_whose_time_grows_with_rows(a_row: float) -> None:
    assert a_row * settled(lambda rows: a_row * rows).rows <= max(MAX_MICROBATCH_SECONDS, 2 * a_row)


def test_batch_size_recovers_from_a_slow_microbatch() -> None:
    batch_size = settled(lambda rows: 0.004)
    batch_size.learn(256, 60.0)  # the machine was asleep
    assert batch_size.rows < MAX_ROWS
    batch_size.learn(batch_size.rows, 0.004)
    assert batch_size.rows == MAX_ROWS


def test_batch_size_of_a_microbatch_that_took_no_time() -> None:
    batch_size = BatchSize()
    batch_size.learn(1, 0.0)
    assert batch_size.rows == MAX_ROWS
