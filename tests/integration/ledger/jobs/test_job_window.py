"""A job of ten thousand chunks has a window of them on the queue, and little in Redis."""

from collections import deque
from collections.abc import Iterator

import pytest
import redis

from tasks.jobs.ledger import Begun
from tasks.ledger import keys
from tasks.ledger.queue.workers import Workers
from tests.integration.ledger.jobs.job_worker import Desk

CHUNKS = 10_000
PROCESSES = 3
WINDOW = 2 * PROCESSES
EACH = 200
"""Bytes that Redis may keep of a chunk that is settled."""
FEW = 20_000
"""Bytes that it may keep of a job else, of its messages, and of those who compute it."""


@pytest.fixture
def desk(client: redis.Redis) -> Iterator[Desk]:
    """Redis need not keep so many steps through a power loss."""
    (fsync,) = client.config_get("appendfsync").values()
    client.config_set("appendfsync", "no")
    yield Desk(client)
    client.config_set("appendfsync", fsync)


def test_a_window_of_ten_thousand_chunks_is_in_redis(desk: Desk) -> None:
    before = memory(desk)
    beat(desk)
    desk.submit("a")
    desk.validate("a", CHUNKS)
    computed: deque[Begun] = deque()
    for chunk in range(CHUNKS):
        computed.append(begin(desk))
        if len(computed) == PROCESSES:
            desk.settle(computed.popleft())
        if not chunk % 500:
            beat(desk)
            check(desk, chunk, before)
    for begun in computed:
        desk.settle(begun)
    assert desk.waiting() == ["a.finalize"]
    check(desk, CHUNKS, before)
    assert desk.look("a").counts.succeeded == 10 * CHUNKS
    assert desk.ledger.conclude(desk.begin("a", "finalize"), None) == "completed"


def beat(desk: Desk) -> None:
    """A worker lives."""
    told = {"processes": PROCESSES, "queues": ["bulk"], "name": "w"}
    Workers(desk.client).heartbeat("w", told)


def begin(desk: Desk) -> Begun:
    """Take the next chunk, whichever it is."""
    begun = desk.ledger.begin(desk.take())
    assert begun
    return begun


def memory(desk: Desk) -> int:
    """Bytes of all keys."""
    return sum(desk.client.memory_usage(key, samples=0) for key in desk.client.scan_iter())


def check(desk: Desk, settled: int, before: int) -> None:
    """What waits and what is computed is a window; what is kept, a line for each settled chunk."""
    held, waiting = desk.client.hlen(keys.RESERVED), desk.client.llen("bulk")
    assert held + waiting <= WINDOW
    assert desk.client.hlen(f"{keys.JOB}a:flying") == held + waiting
    assert desk.client.zcard(keys.DUE) == desk.client.hlen(keys.ATTEMPTS) == held
    assert memory(desk) - before < FEW + EACH * settled


def test_a_job_that_is_resumed_has_no_more(desk: Desk) -> None:
    beat(desk)
    desk.submit("a")
    desk.validate("a", CHUNKS)
    for _ in range(50):
        desk.settle(begin(desk))
    desk.ledger.cancel("a")
    assert desk.waiting() == []
    assert desk.ledger.resume("a")
    assert desk.waiting() == [f"a.{n}" for n in range(50, 50 + WINDOW)]
