"""A worker has its pool follow the queue, for its share among the workers of the queue."""

from types import SimpleNamespace

import pytest
import redis

from tasks.scaling.replicas import bounds_of
from tasks.scaling.steadying import DOWN_SECONDS
from tests.unit.clock import Clock
from tests.unit.tasks.scaling.test_demand import snapshot, worker
from workers import autoscaling
from workers.autoscaling import Autoscaling


class Pools:
    """A pool that remembers its sizes."""

    def __init__(self):
        self.sizes = [1]

    @property
    def size(self):
        return self.sizes[-1]

    def resize(self, size):
        self.sizes.append(size)


class Bench(Clock):
    """A worker that looks at what the test says of the queue."""

    def __init__(self, monkeypatch):
        self.queue, self.pool = snapshot(worker(1)), Pools()
        monkeypatch.setattr(autoscaling, "time", self)
        monkeypatch.setattr(autoscaling, "QueueSnapshots", lambda _: SimpleNamespace(of=self.of))
        self.scaling = Autoscaling(None, self.pool, "predict", bounds_of("1..8", 1.0))

    def of(self, queue):
        if isinstance(self.queue, Exception):
            raise self.queue
        return self.queue

    def look(self, *workers, rows=0, seconds=2.0):
        self.now += seconds
        self.queue = snapshot(*workers, depth=rows, rows=rows)
        self.scaling.look()
        return self.pool.size


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def test_pool_grows_at_once_and_shrinks_after_a_minute(bench, caplog):
    caplog.set_level("INFO")
    full = worker(1, busy=1.0, rows_per_second=100.0)
    assert bench.look(full, rows=350) == 5
    assert "5 processes in place of 1: 1.0 of 1 process busy, 350 rows waiting" in caplog.text
    idle = worker(5, busy=0.0, rows_per_second=100.0)
    assert bench.look(idle, seconds=DOWN_SECONDS - 1) == 5
    assert bench.look(idle, seconds=1.0) == 1
    assert bench.pool.sizes == [1, 5, 1], "changed twice, and told only then"


def test_workers_of_a_queue_share_its_processes(bench):
    full = worker(1, busy=1.0, rows_per_second=100.0)
    assert bench.look(full, full, full, rows=500) == 3


def test_redis_that_does_not_answer_changes_nothing(bench):
    bench.look(worker(1, busy=2.0))
    bench.queue = redis.ConnectionError()
    bench.scaling.look()
    assert bench.pool.sizes == [1, 3]
