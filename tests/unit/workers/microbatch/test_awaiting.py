"""When the end of a batch is awaited, although another process is free."""

import time

import pytest

from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.microbatch import batcher
from workers.microbatch.batch_size import MOMENT, MOST_ROWS


def test_what_comes_while_a_quick_batch_runs_waits_for_the_next() -> None:
    """A second call beside the first would take as much of the processor again."""
    bench = Bench(processes=2)
    bench.add("a", "b")
    bench.dispatch()
    assert bench.pool.has_idle
    assert bench.batcher.room == 0
    bench.pool.processes[0].finish()
    assert bench.batcher.room == MOST_ROWS


def test_nobody_waits_for_a_lone_request() -> None:
    bench = Bench(processes=2)
    bench.add("a")
    bench.dispatch()
    assert bench.batcher.room == MOST_ROWS


@pytest.mark.parametrize("rows", [MOST_ROWS // 2, 100, 10, 3, 1])
def test_nobody_waits_for_a_full_batch(rows: int) -> None:
    """There is more than one process can do; full is what had no place for one like the others."""
    bench = Bench(processes=2)
    bench.add(*map(str, range(MOST_ROWS // rows)), rows=rows)
    bench.dispatch()
    assert bench.batcher.room == MOST_ROWS


def test_nobody_waits_for_a_model_that_takes_its_time_for_each_row() -> None:
    """Company would cost as much as another call."""
    bench = Bench(processes=2, warm=False)
    for names in (["a"], ["b", "c"], ["d", "e", "f"]):
        bench.add(*names)
        bench.dispatch()
        assert bench.batcher.room > 0
        bench.pool.processes[0].finish(seconds=0.005 * len(names))


def test_nobody_waits_for_a_slow_model() -> None:
    bench = Bench(processes=2)
    bench.add("a")
    bench.dispatch()
    bench.pool.processes[0].finish(seconds=2 * MOMENT)
    bench.add("b", "c")
    bench.dispatch()
    assert bench.batcher.room > 0


def test_nobody_waits_for_longer_than_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, reminders = Bench(processes=2), []
    bench.batcher.remind = lambda: reminders.append("in a moment")
    now = time.monotonic()
    monkeypatch.setattr(batcher.time, "monotonic", lambda: now)
    bench.add("a", "b")
    bench.dispatch()
    assert reminders == ["in a moment"]
    now += MOMENT * 0.99
    assert bench.batcher.room == 0
    now += MOMENT * 0.02
    assert bench.batcher.room == MOST_ROWS


def test_one_whose_process_died_is_not_waited_for() -> None:
    bench = Bench(processes=2)
    bench.add("a", "b")
    bench.dispatch()
    bench.pool.processes[0].die()
    assert bench.batcher.room == MOST_ROWS - 2, "those two wait to be computed again"
