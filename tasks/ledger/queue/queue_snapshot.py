"""What those who wait on a queue may know of it, in one round trip."""

import time
import uuid
from typing import Any

import msgspec
import redis

from tasks.ledger import keys, scripts
from tasks.ledger.queue.workers import HEARTBEAT_TIMEOUT
from tasks.wire import decode


class QueueSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One queue at one moment."""

    depth: int
    """Messages that wait."""
    taken: int
    """Messages that ever left it, less those that came back."""
    held: int
    """Messages of it that workers hold, without those that wait for another try; of all queues and
    with those where they are more than a thousand."""
    rate: float | None
    """Messages a second that left it while there were always more; None until there were."""
    oldest: float | None
    """Seconds for which the first of it has waited; None where there is none, or not of ours."""
    workers: list[dict[str, Any]]
    """Those of this queue that live, each with the versions that it has ``loaded``; one that still
    loads its first has no ``processes``."""
    paused: frozenset[str]
    """Versions, as model:version, for which nothing is computed now."""


class QueueSnapshots:
    """Reads them."""

    def __init__(self, client: redis.Redis) -> None:
        self._situation = scripts.load(client, "situation")

    def of(self, queue: str) -> QueueSnapshot:
        """How it stands with a queue; raises `redis.RedisError`."""
        held = [keys.RESERVED, keys.WORKERS_SEEN, keys.WORKERS, keys.PAUSED]
        answer = self._situation(keys=[queue, keys.QUEUED + queue, *held], args=[HEARTBEAT_TIMEOUT])
        depth, taken, held_now, rate, oldest, workers, paused = answer
        return QueueSnapshot(
            depth=depth,
            taken=taken,
            held=held_now,
            rate=float(rate) if rate else None,
            oldest=_age(oldest.decode(errors="replace")),
            workers=[w for w in map(decode, workers) if queue in w.get("queues", [queue])],
            paused=frozenset(version.decode() for version in paused),
        )


def _age(task_id: str) -> float | None:
    """Seconds since an id of ours was given out: it carries its time."""
    try:
        number = uuid.UUID(task_id)
    except ValueError:
        return None
    return max(time.time() - (number.int >> 80) / 1000, 0.0) if number.version == 7 else None
