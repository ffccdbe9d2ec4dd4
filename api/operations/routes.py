"""Health, readiness, metrics and statistics over HTTP."""

import time
from typing import Any

import msgspec
import psutil
from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.callers.current import current_caller
from api.callers.seeing import require_every_model, seen_workers, sees_version
from api.drift.looking import DriftLook
from api.http.responses import json_response
from api.models.known_versions import KnownVersions
from api.operations.ledger_collector import LedgerCollector
from api.operations.request_metrics import RequestMetrics
from tasks.gateway import QUEUE, is_reachable
from tasks.ledger.dead_letters.letters import DeadLetters
from tasks.ledger.ledger import Ledger
from tasks.ledger.pauses.pauses import Paused
from tasks.ledger.queue.canaries import age
from tasks.ledger.queue.queue_estimate import WaitingFor, general
from tasks.ledger.queue.workers import Workers
from tasks.ledger.statistics import Statistics
from tasks.settings import Settings
from telemetry.metrics import registry


class Health(msgspec.Struct):
    """The process answers."""

    status: str = "ok"


class Ready(msgspec.Struct):
    """Whether a prediction submitted now would be computed."""

    ready: bool
    redis: bool
    workers: int
    waiting_for: WaitingFor | msgspec.UnsetType = msgspec.UNSET
    """The reason for which it would wait; left out if it would start at once."""


class Latency(msgspec.Struct):
    """Percentiles of the seconds from acceptance to outcome; null until there is an outcome."""

    p50: float | None
    p95: float | None
    p99: float | None


class CanaryStats(msgspec.Struct):
    """The latest canary of a queue: a test message that workers send through it regularly."""

    age_seconds: float
    """Seconds since it was sent. More than a few intervals mean that the queue is blocked."""
    seconds: float
    """Seconds from sending to outcome."""


class CacheStats(msgspec.Struct):
    """How often answers of a version were reused, and what that saved."""

    hits: int
    """Predictions that had the answer of an earlier one when they were accepted."""
    joined: int
    """Predictions that waited for the answer of another one with the same rows."""
    misses: int
    """Predictions that might have reused an answer, and were computed."""
    saved_bytes: int
    """Bytes of the answers that were hit."""
    saved_ms: float
    """Milliseconds in the model that the hits would have taken."""


class VersionStats(msgspec.Struct):
    """Outcomes of one version."""

    model: str
    version: int
    succeeded: int
    failed: int
    cancelled: int
    expired: int
    rows: int
    success_rate: float | None
    """succeeded / (succeeded + failed); null if there are neither."""
    latency_seconds: Latency
    cache: CacheStats


class Stats(msgspec.Struct):
    """The state of the whole system."""

    uptime_seconds: float
    """Uptime of this API process."""
    memory_bytes: int
    """Resident memory of this API process."""
    queues: dict[str, int]
    """Messages waiting per queue."""
    reserved: int
    """Messages that workers hold now."""
    workers: list[dict[str, Any]]
    """Live workers, each with `name`, `processes`, `memory_bytes`, and the versions loaded."""
    predictions: list[VersionStats]
    dead_letters: int
    paused: list[Paused]
    """Paused versions, each with the reason."""
    drain_rates: dict[str, float | None]
    """Messages per second that leave each queue under load; null until that was measured."""
    canaries: dict[str, CanaryStats]
    """Latest canary that came back, for each queue."""


class Operations:
    """The views. None loads a model; only `/stats` and `/ready` need Redis."""

    def __init__(
        self,
        ledger: Ledger,
        letters: DeadLetters,
        existing: KnownVersions,
        drift: DriftLook,
        requests: RequestMetrics,
        settings: Settings,
    ) -> None:
        self._ledger = ledger
        self._letters = letters
        self._existing = existing
        self._workers = Workers(ledger.client)
        self._requests = requests
        self._started = time.monotonic()
        self._registry = registry()
        self._registry.register(LedgerCollector(ledger, letters, existing, drift, settings))

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("operations", __name__)
        routes.get("/health")(self.health)
        routes.get("/ready")(self.ready)
        routes.get("/metrics")(self.metrics)
        routes.get("/stats")(self.stats)
        return routes

    def health(self) -> Response:
        """Answer 200 whenever this process works, whatever the state of Redis and workers."""
        return json_response(Health())

    def ready(self) -> Response:
        """Answer 200 if Redis answers and a worker is alive, else 503."""
        state = self.readiness()
        return json_response(state, 200 if state.ready else 503)

    def readiness(self) -> Ready:
        """Whether a prediction submitted now would be computed."""
        if not is_reachable(self._ledger.client):
            return Ready(False, False, 0)
        snapshot = self._existing.snapshot(QUEUE)
        workers = sum(bool(worker["processes"]) for worker in snapshot.workers)
        return Ready(bool(workers), True, workers, general(snapshot))

    def metrics(self) -> Response:
        """Serve metrics to Prometheus."""
        require_every_model(current_caller(request))
        self._requests.write()
        return Response(generate_latest(self._registry), content_type=CONTENT_TYPE_LATEST)

    def stats(self) -> Response:
        """Serve the same figures for people, with percentiles, of the models that they see."""
        caller = current_caller(request)
        queues = self._existing.queues(caller.sees)
        depths, reserved = self._ledger.depths(queues)
        now = self._ledger.now()
        stats = Stats(
            uptime_seconds=round(time.monotonic() - self._started, 3),
            memory_bytes=psutil.Process().memory_info().rss,
            reserved=reserved,
            queues=depths,
            workers=seen_workers(caller, self._workers.alive()),
            predictions=[
                _version(entry) for entry in self._existing.statistics() if caller.sees(entry.model)
            ],
            dead_letters=self._letters.totals().kept,
            paused=[p for p in self._existing.paused() if sees_version(caller, p.model)],
            drain_rates={queue: self._existing.snapshot(queue).rate for queue in queues},
            canaries={
                queue: CanaryStats(
                    age_seconds=round(age(sighting, now), 3), seconds=sighting.seconds
                )
                for queue, sighting in self._existing.sightings().items()
                if queue in queues
            },
        )
        return json_response(stats)


def _version(statistics: Statistics) -> VersionStats:
    succeeded, failed = statistics.outcomes["succeeded"], statistics.outcomes["failed"]
    decided, reuse = succeeded + failed, statistics.reuse
    return VersionStats(
        model=statistics.model,
        version=statistics.version,
        **statistics.outcomes,
        rows=statistics.rows,
        success_rate=succeeded / decided if decided else None,
        latency_seconds=Latency(*map(statistics.percentile, (0.50, 0.95, 0.99))),
        cache=CacheStats(reuse.hits, reuse.joined, reuse.misses, reuse.bytes, round(reuse.ms, 3)),
    )
