"""What operators ask: alive, ready, metrics, statistics."""

import time
from typing import Any

import msgspec
import psutil
from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.http.responses import answer
from api.models.known_versions import KnownVersions
from api.operations.request_metrics import LedgerCollector, Requests
from tasks.gateway import QUEUE, QUEUES, is_reachable
from tasks.ledger.dead_letters.letters import DeadLetters
from tasks.ledger.ledger import Ledger
from tasks.ledger.pauses.pauses import Paused
from tasks.ledger.queue.canaries import age, sightings
from tasks.ledger.queue.workers import Workers
from tasks.ledger.statistics import Statistics
from tasks.queue_estimate import WaitingFor, general
from telemetry.metrics import registry


class Health(msgspec.Struct):
    """The process answers."""

    status: str = "ok"


class Ready(msgspec.Struct):
    """Whether a prediction that comes now would be computed."""

    ready: bool
    redis: bool
    workers: int
    waiting_for: WaitingFor | msgspec.UnsetType = msgspec.UNSET
    """What it would wait for: nothing at all where this is left out."""


class Latency(msgspec.Struct):
    """Seconds from acceptance to outcome; null until there was one."""

    p50: float | None
    p95: float | None
    p99: float | None


class CanaryStats(msgspec.Struct):
    """A prediction of no model, which the workers send through their queue now and then."""

    age_seconds: float
    """Since it was sent; more than a few intervals, and the way through the queue is blocked."""
    seconds: float
    """To its outcome."""


class VersionStats(msgspec.Struct):
    """What one version has answered."""

    model: str
    version: int
    succeeded: int
    failed: int
    cancelled: int
    expired: int
    rows: int
    success_rate: float | None
    """Of what succeeded or failed."""
    latency_seconds: Latency


class Stats(msgspec.Struct):
    """The state of the whole system."""

    uptime_seconds: float
    """Of this API process."""
    memory_bytes: int
    """Resident, of this API process."""
    queues: dict[str, int]
    """Messages waiting per queue."""
    reserved: int
    """Messages that workers hold."""
    workers: list[dict[str, Any]]
    """Each with its name, processes, memory_bytes, and the versions loaded."""
    predictions: list[VersionStats]
    dead_letters: int
    paused: list[Paused]
    """Versions whose submissions are refused, and why."""
    drain_rates: dict[str, float | None]
    """Messages a second that left each queue while there were always more; null until then."""
    canaries: dict[str, CanaryStats]
    """The latest of each queue that came back."""


class Operations:
    """The views; none touches a model, and only `/stats` and `/ready` need Redis."""

    def __init__(
        self, ledger: Ledger, letters: DeadLetters, existing: KnownVersions, requests: Requests
    ) -> None:
        self._ledger = ledger
        self._letters = letters
        self._existing = existing
        self._workers = Workers(ledger.client)
        self._requests = requests
        self._started = time.monotonic()
        self._registry = registry()
        self._registry.register(LedgerCollector(ledger, letters, existing))

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("operations", __name__)
        routes.get("/health")(self.health)
        routes.get("/ready")(self.ready)
        routes.get("/metrics")(self.metrics)
        routes.get("/stats")(self.stats)
        return routes

    def health(self) -> Response:
        """The process answers; says nothing of Redis or workers."""
        return answer(Health())

    def ready(self) -> Response:
        """Redis answers and a worker lives: 200, else 503."""
        if not is_reachable(self._ledger.client):
            return answer(Ready(False, False, 0), 503)
        situation = self._existing.situation(QUEUE)
        workers = sum(bool(worker["processes"]) for worker in situation.workers)
        return answer(
            Ready(bool(workers), True, workers, general(situation)), 200 if workers else 503
        )

    def metrics(self) -> Response:
        """For Prometheus."""
        self._requests.write()
        return Response(generate_latest(self._registry), content_type=CONTENT_TYPE_LATEST)

    def stats(self) -> Response:
        """For people: the same figures, with percentiles."""
        depths, reserved = self._ledger.depths(QUEUES)
        now = self._ledger.now()
        stats = Stats(
            uptime_seconds=round(time.monotonic() - self._started, 3),
            memory_bytes=psutil.Process().memory_info().rss,
            reserved=reserved,
            queues=depths,
            workers=self._workers.alive(),
            predictions=[_version(entry) for entry in self._existing.statistics()],
            dead_letters=self._letters.totals().kept,
            paused=self._existing.paused(),
            drain_rates={queue: self._existing.situation(queue).rate for queue in QUEUES},
            canaries={
                queue: CanaryStats(
                    age_seconds=round(age(sighting, now), 3), seconds=sighting.seconds
                )
                for queue, sighting in sightings(self._ledger.client).items()
            },
        )
        return answer(stats)


def _version(statistics: Statistics) -> VersionStats:
    succeeded, failed = statistics.outcomes["succeeded"], statistics.outcomes["failed"]
    decided = succeeded + failed
    return VersionStats(
        model=statistics.model,
        version=statistics.version,
        **statistics.outcomes,
        rows=statistics.rows,
        success_rate=succeeded / decided if decided else None,
        latency_seconds=Latency(*map(statistics.percentile, (0.50, 0.95, 0.99))),
    )
