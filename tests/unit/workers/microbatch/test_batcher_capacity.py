"""How many messages a batcher takes: the bounds of rows, bytes and messages, and outages."""

import pytest

from tasks.time_limits import OUTAGE
from tests.unit.clock import Clock
from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.microbatch import registry_outage
from workers.microbatch.batch_size import MAX_ROWS
from workers.microbatch.gathered import MAX_BYTES, MAX_GATHERED, MAX_GATHERED_BYTES


def test_microbatch_is_bounded_by_bytes(bench: Bench) -> None:
    bench.add("a", "b", "c", body=bytes(MAX_BYTES // 2))
    bench.add("huge", body=bytes(2 * MAX_BYTES))
    assert [bench.turn() for _ in range(3)] == [["a", "b"], ["c"], ["huge"]]


def test_capacity_needs_a_free_process(bench: Bench) -> None:
    assert bench.batcher.seen_capacity == 0, "the event loop has not asked for it"
    assert bench.batcher.capacity == MAX_ROWS
    bench.add("a", "b")
    assert bench.batcher.capacity == bench.batcher.seen_capacity == MAX_ROWS - 2
    bench.dispatch()
    assert bench.batcher.capacity == 0
    bench.pool.processes[0].finish()
    assert bench.batcher.capacity == MAX_ROWS
    bench.add(*map(str, range(MAX_ROWS + 5)))
    assert bench.batcher.capacity == 0


def test_batcher_tells_what_waits_and_what_is_computed(bench: Bench) -> None:
    bench.add("a", "b", rows=3)
    bench.dispatch()
    bench.add("c", rows=5)
    work = bench.batcher.work()
    assert (work.rows_computing, work.rows_waiting, work.messages_waiting) == (6, 5, 1)
    assert work.rows_per_second is None
    bench.pool.processes[0].finish()
    done = bench.batcher.work()
    assert done.rows_computing == 0
    assert done.rows_per_second


def test_capacity_of_a_cold_batcher_is_one_message() -> None:
    bench = Bench(warm=False)
    assert bench.batcher.capacity == 1
    bench.add("first")
    bench.turn()
    assert bench.batcher.capacity > 1


def test_messages_without_a_model_do_not_change_the_batch_size() -> None:
    """A canary on `bulk` is one such: the worker would reserve the steps of all jobs."""
    bench = Bench(warm=False)
    bench.add("canary", model=None)
    bench.turn()
    assert bench.batcher.capacity == 1


def test_messages_waiting_for_a_load_do_not_block_others() -> None:
    bench = Bench()
    bench.add(*map(str, range(300)), model="loading:1")
    assert bench.batcher.capacity == MAX_ROWS
    bench.add("other")
    assert bench.dispatch() == [["other"]]


def test_messages_of_loading_versions_are_bounded() -> None:
    bench = Bench()
    bench.add(*map(str, range(MAX_GATHERED - 3)), model="loading:1")
    assert bench.batcher.capacity == 3


def test_bytes_of_loading_versions_are_bounded() -> None:
    bench = Bench()
    for name in "abcd":
        bench.add(name, model="loading:1", body=bytes(MAX_GATHERED_BYTES // 4))
    assert bench.batcher.capacity == 0
    bench.batcher.take_back_waiting()
    assert bench.batcher.capacity == MAX_ROWS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(registry_outage, "time", clock)
    return clock


def test_registry_outage_makes_the_capacity_zero(bench: Bench, clock: Clock) -> None:
    assert bench.batcher.capacity > 0
    bench.registry_outage.begin()
    assert bench.batcher.capacity == 0


def test_registry_outage_lasts_until_a_look_succeeds(bench: Bench, clock: Clock) -> None:
    bench.registry_outage.begin()
    bench.registry_is_away = True
    for _ in range(10):
        clock.now += 2 * OUTAGE
        assert bench.batcher.capacity == 0
    bench.registry_is_away = False
    assert bench.batcher.capacity == 0, "it looks only now and then"
    clock.now += OUTAGE
    assert bench.batcher.capacity > 0


def test_registry_outage_is_logged_once(
    bench: Bench, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bench.registry_outage.begin()
    bench.registry_outage.begin()
    assert len(caplog.records) == 1


def test_worker_is_idle_while_requests_come_one_at_a_time() -> None:
    bench = Bench(processes=2)
    assert bench.batcher.is_idle
    bench.add("a")
    assert not bench.batcher.is_idle
    bench.dispatch()
    assert not bench.batcher.is_idle
    bench.pool.processes[0].finish()
    assert bench.batcher.is_idle


def test_worker_is_not_idle_after_requests_that_came_together() -> None:
    """The next ones probably do, and share a microbatch if they take the way over the queue."""
    bench = Bench(processes=2)
    for together in (("a", "b"), ("c",)):
        bench.add(*together)
        bench.dispatch()
        bench.pool.processes[0].finish()
        assert bench.batcher.is_idle == (len(together) == 1)
