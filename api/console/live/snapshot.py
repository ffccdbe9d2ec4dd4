"""The state of the whole stack at one moment, as the console shows it."""

import time
from typing import Any

import msgspec
import redis

from api.models.known_versions import KnownVersions
from tasks.alerts.watching.states import AlertState
from tasks.alerts.watching.store import AlertStore
from tasks.ledger.dead_letters.letters import DeadLetters
from tasks.ledger.pauses.pauses import Paused
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
    alerts: list[AlertState]
    """Alerts that fire or are pending, most severe first."""
    is_watched: bool
    """Whether a watch evaluates the rules of alerts."""

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
        self._existing, self._letters = existing, letters
        self._workers, self._alerts = Workers(client), AlertStore(client)

    def take(self) -> StackSnapshot:
        """A snapshot; raises `redis.RedisError`."""
        return StackSnapshot(
            at=time.time(),
            queues={queue: self._existing.snapshot(queue) for queue in self._existing.queues()},
            workers=self._workers.alive(),
            paused=self._existing.paused(),
            dead_letters=self._letters.totals().kept,
            statistics=self._existing.statistics(),
            alerts=self._alerts.open(),
            is_watched=self._alerts.is_watched(),
        )
