"""A slow version leaves the last free process to other versions that are asked for."""

import pytest

from tests.unit.clock import Clock
from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.microbatch import slow_versions
from workers.microbatch.batch_size import SLOW_CALL, BatchSize
from workers.microbatch.gathered import MAX_GATHERED
from workers.microbatch.slow_versions import MAX_HELD_BACK, RECENT_SECONDS
from workers.protocol import DispositionKind


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(slow_versions, "time", clock)
    return clock


def bench_with_slow_version(processes: int = 2) -> Bench:
    """A bench that has measured that ``slow:1`` takes long for each row."""
    bench = Bench(processes)
    bench.batch_sizes._sizes.default_factory = BatchSize
    bench.batch_sizes.of("slow:1", "predict").learn(1, 6 * SLOW_CALL)
    return bench


def add_slow(bench: Bench, *names: str) -> None:
    bench.add(*names, model="slow:1", rows=2)  # a microbatch each


def answer_quick_version(bench: Bench) -> None:
    """Another version was asked for just now, and computes nothing."""
    bench.add("quick", model="quick:1")
    bench.dispatch()
    bench.pool.processes[0].finish()


def test_slow_version_leaves_the_last_process_to_others(clock: Clock) -> None:
    bench = bench_with_slow_version()
    answer_quick_version(bench)
    add_slow(bench, "a", "b", "c")
    assert bench.dispatch() == [["a"]]
    bench.add("next", model="quick:1")
    assert bench.dispatch() == [["a"], ["next"]]


@pytest.mark.parametrize("kind", ["cancelled", "expired", "failed", "dropped"])
def test_slow_version_stays_slow_after_what_was_not_computed(
    clock: Clock, kind: DispositionKind
) -> None:
    bench = bench_with_slow_version()
    add_slow(bench, "a")
    bench.dispatch()
    bench.pool.processes[0].finish(kind, seconds=0.002)
    size = bench.batch_sizes.of("slow:1", "predict")
    assert size.is_slow
    assert size.rows == 2  # as before: one second allows no more


def test_slow_version_takes_all_processes_if_no_other_is_asked_for(clock: Clock) -> None:
    bench = bench_with_slow_version()
    answer_quick_version(bench)
    clock.now += RECENT_SECONDS
    add_slow(bench, "a", "b", "c")
    assert bench.dispatch() == [["a"], ["b"]]


def test_slow_versions_alone_take_all_processes(clock: Clock) -> None:
    bench = bench_with_slow_version()
    bench.batch_sizes.of("slow:2", "predict").learn(1, 6 * SLOW_CALL)
    add_slow(bench, "a")
    bench.add("b", model="slow:2", rows=2)
    assert bench.dispatch() == [["a"], ["b"]]


def test_held_back_messages_count_among_all_that_wait(clock: Clock) -> None:
    bench = bench_with_slow_version()
    answer_quick_version(bench)
    add_slow(bench, "a", "b")
    bench.dispatch()
    bench.add(*map(str, range(MAX_GATHERED)), model="loading:1")
    assert bench.batcher.capacity == 0


def test_slow_version_takes_the_only_process(clock: Clock) -> None:
    bench = bench_with_slow_version(processes=1)
    answer_quick_version(bench)
    add_slow(bench, "a")
    assert bench.dispatch() == [["a"]]


def test_slow_messages_held_back_do_not_hide_what_waits_behind_them(clock: Clock) -> None:
    bench = bench_with_slow_version()
    answer_quick_version(bench)
    add_slow(bench, "a", "b")
    bench.dispatch()
    assert 0 < bench.batcher.capacity < MAX_HELD_BACK
    bench.batch_sizes.latest_rows = 10
    assert bench.batcher.capacity == 10, "they take no room in the next microbatch"
    add_slow(bench, *map(str, range(MAX_HELD_BACK)))
    assert bench.batcher.capacity == 0


def test_version_is_slow_only_once_it_was_measured() -> None:
    size = bench_with_slow_version().batch_sizes.of("other:1", "predict")
    assert not size.is_slow
    size.learn(1, SLOW_CALL)
    assert size.is_slow
    size.learn(1, SLOW_CALL / 2)
    assert not size.is_slow
