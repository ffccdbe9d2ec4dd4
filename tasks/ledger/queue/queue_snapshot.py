"""Queue snapshots: the state of a queue, read in one round trip."""

import time
import uuid
from typing import Any

import msgspec
import redis

from tasks.ledger import keys
from tasks.ledger.queue.workers import HEARTBEAT_TIMEOUT
from tasks.ledger.scripts import load_script
from tasks.wire import decode


class QueueSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One queue at one moment."""

    depth: int
    """Messages waiting."""
    rows: int
    """Rows of these messages, without those of stock producers."""
    taken: int
    """Messages that ever left the queue, minus those that came back."""
    reserved: int
    """Messages of the queue that workers hold, without those that wait for a retry. Above 1000 the
    count is approximate: it covers all queues, and retries too."""
    rate: float | None
    """Messages a second that left the queue while others waited; None until known."""
    oldest: float | None
    """Seconds that the oldest message has waited; None if there is none or its id is foreign."""
    workers: list[dict[str, Any]]
    """Live workers of this queue, each with the versions that it has ``loaded``. ``processes`` is 0
    while a worker loads its first."""
    paused: frozenset[str]
    """Paused versions, as model:version."""


class QueueSnapshots:
    """Reads queue snapshots."""

    def __init__(self, client: redis.Redis) -> None:
        self._snapshot = load_script(client, "ledger.queue.queue_snapshot")

    def of(self, queue: str) -> QueueSnapshot:
        """The snapshot of a queue; raises `redis.RedisError`."""
        hashes = [keys.RESERVED, keys.WORKERS_SEEN, keys.WORKERS, keys.PAUSED]
        answer = self._snapshot(
            keys=[queue, keys.QUEUED + queue, *hashes], args=[HEARTBEAT_TIMEOUT]
        )
        depth, taken, reserved, rate, oldest, workers, paused, rows = answer
        return QueueSnapshot(
            depth=depth,
            rows=rows,
            taken=taken,
            reserved=reserved,
            rate=None if rate is None else float(rate),
            oldest=None if oldest is None else _age(oldest.decode(errors="replace")),
            workers=[w for w in map(decode, workers) if queue in w.get("queues", [queue])],
            paused=frozenset(version.decode() for version in paused),
        )


def _age(task_id: str) -> float | None:
    """Seconds since one of our ids was given out, by the time in it; None for a foreign id."""
    try:
        number = uuid.UUID(task_id)
    except ValueError:
        return None
    # The first 48 bits are Unix milliseconds. The clocks of hosts may differ, so an age may be
    # negative.
    return max(time.time() - (number.int >> 80) / 1000, 0.0) if number.version == 7 else None
