"""A worker that cannot read the registry rests: it leaves the queue to other workers."""

import pytest

from tasks.time_limits import OUTAGE
from tests.unit.clock import Clock
from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.microbatch import batcher


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(batcher, "time", clock)
    return clock


def test_resting_worker_takes_no_messages(clock: Clock) -> None:
    bench = Bench()
    assert bench.batcher.capacity > 0
    bench.batcher.rest()
    assert bench.batcher.capacity == 0


def test_resting_worker_looks_again_and_rests_on_while_it_is_blind(clock: Clock) -> None:
    bench = Bench()
    bench.batcher.rest()
    bench.is_blind = True
    for _ in range(10):
        clock.now += 2 * OUTAGE
        assert bench.batcher.capacity == 0
    bench.is_blind = False
    assert bench.batcher.capacity == 0, "it looks only now and then"
    clock.now += OUTAGE
    assert bench.batcher.capacity > 0


def test_resting_is_logged_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.batcher.rest()
    bench.batcher.rest()
    assert len(caplog.records) == 1
