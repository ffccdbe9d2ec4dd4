"""The state of the whole stack at one moment, as the console shows it."""

import time
from typing import Any

import msgspec
import redis

from api.models.known_versions import KnownVersions
from tasks.ledger.dead_letters.letters import DeadLetters
from tasks.ledger.pauses.pauses import Paused
from tasks.ledger.queue.canaries import age
from tasks.ledger.queue.queue_snapshot import QueueSnapshot
from tasks.ledger.queue.workers import Workers
from tasks.ledger.statistics import BUCKETS, Statistics


class StackSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that the console shows of the stack."""

    at: float
    """Unix seconds by this host's clock."""
    queues: dict[str, QueueSnapshot]
    workers: list[dict[str, Any]]
    """Descriptions of the live workers, as in `/stats`."""
    paused: list[Paused]
    dead_letters: int
    statistics: list[Statistics]
    canary_ages: dict[str, float]
    """Queue → seconds since its latest canary was sent."""

    @property
    def accepted(self) -> int:
        """Messages that ever entered the queues, less those that were purged."""
        waiting = sum(queue.taken + queue.depth for queue in self.queues.values())
        return waiting + sum(paused.parked for paused in self.paused)

    @property
    def answered(self) -> int:
        """Outcomes that were ever written."""
        return sum(sum(version.outcomes.values()) for version in self.statistics)

    @property
    def oldest(self) -> float:
        """Seconds that the oldest message of all queues has waited; 0 if none waits."""
        return max((queue.oldest or 0.0 for queue in self.queues.values()), default=0.0)

    @property
    def histogram(self) -> tuple[int, ...]:
        """Outcomes per bucket of `BUCKETS`, over all versions."""
        columns = zip(*(version.histogram for version in self.statistics), strict=True)
        return tuple(map(sum, columns)) or (0,) * (len(BUCKETS) + 1)


class Observer:
    """Takes snapshots."""

    def __init__(self, client: redis.Redis, existing: KnownVersions, letters: DeadLetters) -> None:
        self._client, self._existing, self._letters = client, existing, letters
        self._workers = Workers(client)

    def take(self) -> StackSnapshot:
        """A snapshot; raises `redis.RedisError`."""
        return StackSnapshot(
            at=time.time(),
            queues={queue: self._existing.snapshot(queue) for queue in self._existing.queues()},
            workers=self._workers.alive(),
            paused=self._existing.paused(),
            dead_letters=self._letters.totals().kept,
            statistics=self._existing.statistics(),
            canary_ages=self._canary_ages(),
        )

    def _canary_ages(self) -> dict[str, float]:
        seconds, microseconds = self._client.time()
        now = seconds + microseconds / 1e6
        return {q: age(sighting, now) for q, sighting in self._existing.sightings().items()}
