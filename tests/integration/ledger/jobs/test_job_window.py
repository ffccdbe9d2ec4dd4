"""A job of ten thousand chunks keeps a bounded window of them on the queue."""

from collections import deque
from collections.abc import Iterator

import pytest
import redis

from tasks.jobs.ledger import Begun
from tasks.ledger import keys
from tasks.ledger.queue.workers import Workers
from tests.integration.ledger.jobs.job_worker import ManualWorker

CHUNKS = 10_000
PROCESSES = 3
WINDOW = 2 * PROCESSES
EACH = 200
"""Bytes that Redis may keep of a chunk that is settled."""
FEW = 20_000
"""Bytes that Redis may hold beside the chunks: the messages of the job, and its workers."""


@pytest.fixture
def worker(client: redis.Redis) -> Iterator[ManualWorker]:
    """A worker on a Redis that does not sync each write, for speed."""
    (fsync,) = client.config_get("appendfsync").values()
    client.config_set("appendfsync", "no")
    yield ManualWorker(client)
    client.config_set("appendfsync", fsync)


@pytest.mark.unmeasured
def test_job_window_of_ten_thousand_chunks_is_in_redis(worker: ManualWorker) -> None:
    before = memory(worker)
    beat(worker)
    worker.submit("a")
    worker.validate("a", CHUNKS)
    computed: deque[Begun] = deque()
    for chunk in range(CHUNKS):
        computed.append(begin(worker))
        if len(computed) == PROCESSES:
            worker.settle(computed.popleft())
        if not chunk % 50:  # often enough on a busy machine, too: a silent worker has no window
            beat(worker)
        if not chunk % 500:
            check(worker, chunk, before)
    for begun in computed:
        worker.settle(begun)
    assert worker.waiting() == ["a.finalize"]
    check(worker, CHUNKS, before)
    assert worker.look("a").counts.succeeded == 10 * CHUNKS
    assert worker.ledger.conclude(worker.begin("a", "finalize"), None) == "completed"


def beat(worker: ManualWorker) -> None:
    """Record a heartbeat of a worker."""
    told = {"processes": PROCESSES, "queues": ["bulk"], "name": "w"}
    Workers(worker.client).heartbeat("w", told)


def begin(worker: ManualWorker) -> Begun:
    """Reserve and begin the next chunk."""
    begun = worker.ledger.begin(worker.take())
    assert begun
    return begun


def memory(worker: ManualWorker) -> int:
    """Memory of all keys in bytes."""
    return sum(worker.client.memory_usage(key, samples=0) for key in worker.client.scan_iter())


def check(worker: ManualWorker, settled: int, before: int) -> None:
    """Assert the bounds of waiting and running chunks, and one kept line a settled chunk."""
    held, waiting = worker.client.hlen(keys.RESERVED), worker.client.llen("bulk")
    assert held + waiting <= WINDOW
    assert worker.client.hlen(f"{keys.JOB}a:flying") == held + waiting
    assert worker.client.zcard(keys.DUE) == worker.client.hlen(keys.ATTEMPTS) == held
    assert memory(worker) - before < FEW + EACH * settled


def test_resumed_job_has_the_same_window(worker: ManualWorker) -> None:
    beat(worker)
    worker.submit("a")
    worker.validate("a", CHUNKS)
    for _ in range(50):
        worker.settle(begin(worker))
    worker.ledger.cancel("a")
    assert worker.waiting() == []
    assert worker.ledger.resume("a")
    assert worker.waiting() == [f"a.{n}" for n in range(50, 50 + WINDOW)]
