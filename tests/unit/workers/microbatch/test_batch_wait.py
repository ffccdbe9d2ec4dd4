"""When the batcher waits for a running microbatch although another process is free."""

import time

import pytest

from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.microbatch import running
from workers.microbatch.batch_size import MAX_BATCH_WAIT, MAX_ROWS


def test_wait_gathers_messages_during_a_quick_microbatch() -> None:
    """A second model call beside the first would take as much CPU time again."""
    bench = Bench(processes=2)
    bench.add("a", "b")
    bench.dispatch()
    assert bench.pool.has_idle
    assert bench.batcher.capacity == 0
    bench.pool.processes[0].finish()
    assert bench.batcher.capacity == MAX_ROWS


def test_wait_is_not_for_a_single_running_request() -> None:
    bench = Bench(processes=2)
    bench.add("a")
    bench.dispatch()
    assert bench.batcher.capacity == MAX_ROWS


@pytest.mark.parametrize("rows", [MAX_ROWS // 2, 100, 10, 3, 1])
def test_wait_is_not_for_a_full_microbatch(rows: int) -> None:
    """More is queued than one process can take. Full: another such request would not fit."""
    bench = Bench(processes=2)
    bench.add(*map(str, range(MAX_ROWS // rows)), rows=rows)
    bench.dispatch()
    assert bench.batcher.capacity == MAX_ROWS


def test_wait_is_not_for_a_model_whose_time_grows_with_rows() -> None:
    """Sharing a call would cost as much as another call."""
    bench = Bench(processes=2, warm=False)
    for names in (["a"], ["b", "c"], ["d", "e", "f"]):
        bench.add(*names)
        bench.dispatch()
        assert bench.batcher.capacity > 0
        bench.pool.processes[0].finish(seconds=0.005 * len(names))


def test_wait_is_not_for_a_slow_model() -> None:
    bench = Bench(processes=2)
    bench.add("a")
    bench.dispatch()
    bench.pool.processes[0].finish(seconds=2 * MAX_BATCH_WAIT)
    bench.add("b", "c")
    bench.dispatch()
    assert bench.batcher.capacity > 0


def test_wait_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(processes=2)
    now = time.monotonic()
    monkeypatch.setattr(running.time, "monotonic", lambda: now)
    bench.add("a", "b")
    bench.dispatch()
    assert bench.reminders == ["in a moment"]
    now += MAX_BATCH_WAIT * 0.99
    assert bench.batcher.capacity == 0
    now += MAX_BATCH_WAIT * 0.02
    assert bench.batcher.capacity == MAX_ROWS


def test_wait_is_not_for_a_process_that_died() -> None:
    bench = Bench(processes=2)
    bench.add("a", "b")
    bench.dispatch()
    bench.pool.processes[0].die()
    assert bench.batcher.capacity == MAX_ROWS - 2, "both wait to be computed again"
