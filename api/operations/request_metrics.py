"""Collects metrics: requests as they end, the ledger at each scrape."""

import threading
import time
from collections import deque
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

import redis
from flask import Flask, Response, g, request
from prometheus_client import Metric
from prometheus_client.registry import Collector

from api.models.known_versions import KnownVersions
from tasks.ledger.dead_letters.letters import DeadLetters
from tasks.ledger.ledger import Ledger
from tasks.ledger.queue.canaries import age
from tasks.ledger.queue.deployed import DeployedQueues
from tasks.ledger.queue.workers import Workers
from tasks.ledger.statistics import BUCKETS, Statistics
from telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS, LedgerMetrics, ledger_metrics

OTHER = "other"
"""Label for unknown routes and methods: callers could invent endless ones, each a time series."""
HTTP_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)
WRITE_EVERY = 0.1
"""Seconds between updates of the metrics; in between, requests are only appended to a list."""


class RequestMetrics:
    """Measures every request. Metrics are updated in bulk, because each one has a lock."""

    def __init__(self) -> None:
        self._ended: deque[tuple[str, str, int, float]] = deque()
        self._written = 0.0
        self._writing = threading.Lock()

    def watch(self, app: Flask) -> None:
        """Measure the requests of this application."""
        app.before_request(self._start)
        app.after_request(self._end)

    def ended(self, route: str, method: str, status: int, started: float) -> None:
        """Record a request that began at ``started``, in seconds of `time.perf_counter`."""
        now, method = time.perf_counter(), method if method in HTTP_METHODS else OTHER
        self._ended.append((route, method, status, now - started))
        if now > self._written + WRITE_EVERY and not self._writing.locked():
            self.write()

    def write(self) -> None:
        """Update the metrics with the requests recorded so far."""
        with self._writing:
            self._written = time.perf_counter()
            for _ in range(len(self._ended)):
                route, method, status, seconds = self._ended.popleft()
                HTTP_REQUESTS.labels(route, method, status).inc()
                HTTP_SECONDS.labels(route).observe(seconds)

    def _start(self) -> None:
        g.started = time.perf_counter()

    def _end(self, response: Response) -> Response:
        if g.get("is_answered_later"):  # and recorded then
            return response
        # Label with the rule, not the path: every id would become a time series.
        route = request.url_rule.rule if request.url_rule else OTHER
        self.ended(route, request.method, response.status_code, g.started)
        return response


class LedgerCollector(Collector):
    """Reads the ledger at every scrape; without Redis it reports only that Redis is down."""

    def __init__(self, ledger: Ledger, letters: DeadLetters, existing: KnownVersions) -> None:
        self._ledger = ledger
        self._letters = letters
        self._existing = existing
        self._workers, self._deployed = Workers(ledger.client), DeployedQueues(ledger.client)

    def describe(self) -> Iterable[Metric]:
        """Return nothing; otherwise registration would call `collect`, which needs Redis."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Collect all metrics of the ledger."""
        metrics = ledger_metrics()
        try:
            self._fill(metrics)
        except redis.RedisError:
            metrics.up.add_metric((), 0)
            return [metrics.up]
        return list(metrics)

    def _fill(self, metrics: LedgerMetrics) -> None:
        depths, reserved = self._ledger.depths(self._existing.queues())
        metrics.up.add_metric((), 1)
        metrics.reserved.add_metric((), reserved)
        for queue, depth in depths.items():
            metrics.queued.add_metric((queue,), depth)
            self._fill_queue(metrics, queue)
        now = self._ledger.now()
        for queue, sighting in self._existing.sightings().items():
            metrics.canary_age.add_metric((queue,), age(sighting, now))
            metrics.canary_seconds.add_metric((queue,), sighting.seconds)
        workers = self._workers.alive()
        metrics.workers.add_metric((), len(workers))
        for worker in workers:
            metrics.worker_memory.add_metric((worker["name"],), worker["memory_bytes"])
        self._fill_deployments(metrics, workers)
        self._fill_dead_letters(metrics)
        for paused in self._existing.paused():
            model, _, version = paused.model.rpartition(":")
            metrics.paused.add_metric((model, version, paused.trigger), 1)
            metrics.parked.add_metric((model, version), paused.parked)
        for statistics in self._existing.statistics():
            _fill_version(metrics, statistics)

    def _fill_deployments(self, metrics: LedgerMetrics, workers: list[dict[str, Any]]) -> None:
        for each in self._existing.deployments():
            labels = (each.model, each.environment)
            there = sum(w["processes"] for w in workers if each.queue in w["queues"])
            metrics.deployment_processes.add_metric(labels, there)
            wanted = each.concurrency if each.state == "running" else 0
            metrics.deployment_concurrency.add_metric(labels, wanted)
            for outcome, count in self._deployed.outcomes(each.queue).items():
                metrics.deployment_predictions.add_metric((*labels, outcome), count)

    def _fill_dead_letters(self, metrics: LedgerMetrics) -> None:
        totals = self._letters.totals()
        metrics.dead_letters.add_metric((), totals.kept)
        metrics.dead_letter_bytes.add_metric((), totals.bytes)
        metrics.dead_letters_dropped.add_metric((), totals.dropped)

    def _fill_queue(self, metrics: LedgerMetrics, queue: str) -> None:
        snapshot = self._existing.snapshot(queue)
        # The age is unknown if the oldest message comes from a stock Celery producer, whose ids
        # hold no time.
        if snapshot.oldest is not None or not snapshot.depth:
            metrics.oldest.add_metric((queue,), snapshot.oldest or 0.0)
        if snapshot.rate is not None:
            metrics.drain_rate.add_metric((queue,), snapshot.rate)


def _fill_version(metrics: LedgerMetrics, statistics: Statistics) -> None:
    labels = (statistics.model, str(statistics.version))
    for outcome, count in statistics.outcomes.items():
        metrics.predictions.add_metric((*labels, outcome), count)
    metrics.rows.add_metric(labels, statistics.rows)
    bounds = (*map(str, BUCKETS), "+Inf")
    buckets = list(zip(bounds, accumulate(statistics.histogram), strict=True))
    metrics.seconds.add_metric(labels, buckets, statistics.seconds)
