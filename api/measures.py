"""Fills the catalogue of metrics: each request as it ends, the ledger at each scrape."""

import time
from collections.abc import Iterable
from itertools import accumulate

import redis
from flask import Flask, Response, g, request
from prometheus_client import Metric
from prometheus_client.registry import Collector

from tasks.gateway import QUEUES
from tasks.ledger.ledger import Ledger
from tasks.ledger.statistics import BUCKETS, Statistics
from tasks.ledger.workers import Workers
from telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS, LedgerMetrics, ledger_metrics


def count_requests(app: Flask) -> None:
    """Measure every request."""

    @app.before_request
    def _note_start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _count(response: Response) -> Response:
        # The rule, not the path: ids would make a series each.
        route = request.url_rule.rule if request.url_rule else "unknown"
        HTTP_REQUESTS.labels(route, request.method, response.status_code).inc()
        HTTP_SECONDS.labels(route).observe(time.perf_counter() - g.started)
        return response


class LedgerCollector(Collector):
    """Reads the ledger at every scrape; without Redis it says so and leaves the rest out."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._workers = Workers(ledger.client)

    def describe(self) -> Iterable[Metric]:
        """Nothing: or registering would ask Redis."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """One scrape."""
        metrics = ledger_metrics()
        try:
            self._fill(metrics)
        except redis.RedisError:
            metrics.up.add_metric((), 0)
            return [metrics.up]
        return list(metrics)

    def _fill(self, metrics: LedgerMetrics) -> None:
        depths, reserved = self._ledger.depths(QUEUES)
        metrics.up.add_metric((), 1)
        metrics.reserved.add_metric((), reserved)
        for queue, depth in depths.items():
            metrics.queued.add_metric((queue,), depth)
        workers = self._workers.alive()
        metrics.workers.add_metric((), len(workers))
        for worker in workers:
            metrics.worker_memory.add_metric((worker["name"],), worker["memory_bytes"])
        for statistics in self._ledger.statistics():
            _fill_version(metrics, statistics)


def _fill_version(metrics: LedgerMetrics, statistics: Statistics) -> None:
    labels = (statistics.model, str(statistics.version))
    for outcome, count in statistics.outcomes.items():
        metrics.predictions.add_metric((*labels, outcome), count)
    metrics.rows.add_metric(labels, statistics.rows)
    bounds = (*map(str, BUCKETS), "+Inf")
    buckets = list(zip(bounds, accumulate(statistics.histogram), strict=True))
    metrics.seconds.add_metric(labels, buckets, statistics.seconds)
