"""Collects the metrics that are read at each scrape: from Redis, and of the disk."""

import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import accumulate
from typing import Any

import redis
from prometheus_client import Metric
from prometheus_client.registry import Collector

from api.drift.looking import DriftLook
from api.models.known_versions import KnownVersions
from tasks.ledger.dead_letters.letters import DeadLetters
from tasks.ledger.ledger import Ledger
from tasks.ledger.queue.canaries import age
from tasks.ledger.queue.deployed import DeployedQueues
from tasks.ledger.queue.stalls import stalls
from tasks.ledger.queue.workers import Workers
from tasks.ledger.span_counts import span_counts
from tasks.ledger.statistics import BUCKETS, ReuseCounts, Statistics
from tasks.ledger.tenants.counts import TenantCounts, tenant_counts
from tasks.settings import Settings
from tasks.webhooks.outbox import WebhookTotals, webhook_totals
from telemetry.errors import PredictqError
from telemetry.metrics import LedgerMetrics, ledger_metrics


class LedgerCollector(Collector):
    """Reads the ledger at every scrape; without Redis it reports only that Redis is down."""

    def __init__(
        self,
        ledger: Ledger,
        letters: DeadLetters,
        existing: KnownVersions,
        drift: DriftLook,
        settings: Settings,
    ) -> None:
        self._drift = drift
        self._ledger, self._settings = ledger, settings
        self._letters = letters
        self._existing = existing
        self._workers, self._deployed = Workers(ledger.client), DeployedQueues(ledger.client)

    def describe(self) -> Iterable[Metric]:
        """Return nothing; otherwise registration would call `collect`, which needs Redis."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Collect all metrics of the ledger."""
        metrics = ledger_metrics()
        self._fill_disk(metrics)
        try:
            self._fill(metrics)
        except redis.RedisError:
            metrics.up.add_metric((), 0)
            return [metrics.up, metrics.disk_free, metrics.disk_reserve]
        return list(metrics)

    def _fill(self, metrics: LedgerMetrics) -> None:
        depths, reserved = self._ledger.depths(self._existing.queues())
        metrics.up.add_metric((), 1)
        metrics.reserved.add_metric((), reserved)
        for queue, depth in depths.items():
            metrics.queued.add_metric((queue,), depth)
            self._fill_queue(metrics, queue)
        now = self._ledger.now()
        metrics.clock_skew.add_metric((), abs(time.time() - now))
        metrics.stalls.add_metric((), stalls(self._ledger.client))
        self._fill_memory(metrics)
        metrics.canary_interval.add_metric((), self._settings.canary_interval)
        for queue, sighting in self._existing.sightings().items():
            metrics.canary_age.add_metric((queue,), age(sighting, now))
            metrics.canary_seconds.add_metric((queue,), sighting.seconds)
        workers = self._workers.alive()
        metrics.workers.add_metric((), len(workers))
        for worker in workers:
            metrics.worker_memory.add_metric((worker["name"],), worker["memory_bytes"])
        self._fill_deployments(metrics, workers)
        self._fill_dead_letters(metrics)
        _fill_webhooks(metrics, webhook_totals(self._ledger.client))
        for result, many in span_counts(self._ledger.client).items():
            metrics.spans.add_metric((result,), many)
        _fill_tenants(metrics, tenant_counts(self._ledger.client))
        for paused in self._existing.paused():
            model, _, version = paused.model.rpartition(":")
            metrics.paused.add_metric((model, version, paused.trigger), 1)
            metrics.parked.add_metric((model, version), paused.parked)
        for statistics in self._existing.statistics():
            _fill_version(metrics, statistics)
            self._fill_drift(metrics, statistics)

    def _fill_drift(self, metrics: LedgerMetrics, statistics: Statistics) -> None:
        manifest = self._existing.manifest(statistics.reference)
        found = None
        with suppress(PredictqError):  # a broken baseline is told of by its route
            found = None if manifest is None else self._drift.drifted(manifest)
        if found is not None:
            labels = (statistics.model, str(statistics.version))
            metrics.drifted_features.add_metric((*labels, "column"), found.columns)
            metrics.drifted_features.add_metric((*labels, "output"), found.outputs)
            metrics.drift_rows.add_metric(labels, found.rows)

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

    def _fill_memory(self, metrics: LedgerMetrics) -> None:
        with suppress(redis.exceptions.NoPermissionError):  # some services forbid INFO
            told = self._ledger.client.info("memory")
            metrics.redis_memory.add_metric((), told["used_memory"])
            if limit := told.get("maxmemory", 0):
                metrics.redis_memory_limit.add_metric((), limit)

    def _fill_disk(self, metrics: LedgerMetrics) -> None:
        metrics.disk_free.add_metric((), shutil.disk_usage(self._settings.home).free)
        metrics.disk_reserve.add_metric((), self._settings.spare_bytes)

    def _fill_queue(self, metrics: LedgerMetrics, queue: str) -> None:
        snapshot = self._existing.snapshot(queue)
        # The age is unknown if the oldest message comes from a stock Celery producer, whose ids
        # hold no time.
        if snapshot.oldest is not None or not snapshot.depth:
            metrics.oldest.add_metric((queue,), snapshot.oldest or 0.0)
        serving = sum(bool(worker["processes"]) for worker in snapshot.workers)
        metrics.queue_workers.add_metric((queue,), serving)
        metrics.unserved.add_metric((queue,), 0 if snapshot.workers else snapshot.depth)
        if snapshot.rate is not None:
            metrics.drain_rate.add_metric((queue,), snapshot.rate)


def _fill_webhooks(metrics: LedgerMetrics, totals: WebhookTotals) -> None:
    metrics.webhooks.add_metric((), totals.webhooks)
    metrics.webhook_events.add_metric(("delivered",), totals.delivered)
    metrics.webhook_events.add_metric(("given_up",), totals.given_up)
    metrics.webhook_failures.add_metric((), totals.failed_attempts)
    metrics.webhook_overdue.add_metric((), totals.overdue_seconds)


def _fill_tenants(metrics: LedgerMetrics, counts: dict[str, TenantCounts]) -> None:
    for tenant, counted in counts.items():
        for outcome, count in counted.outcomes.items():
            metrics.tenant_predictions.add_metric((tenant, outcome), count)
        metrics.tenant_rows.add_metric((tenant,), counted.rows)


def _fill_version(metrics: LedgerMetrics, statistics: Statistics) -> None:
    labels = (statistics.model, str(statistics.version))
    for outcome, count in statistics.outcomes.items():
        metrics.predictions.add_metric((*labels, outcome), count)
    metrics.rows.add_metric(labels, statistics.rows)
    bounds = (*map(str, BUCKETS), "+Inf")
    buckets = list(zip(bounds, accumulate(statistics.histogram), strict=True))
    metrics.seconds.add_metric(labels, buckets, statistics.seconds)
    _fill_reuse(metrics, labels, statistics.reuse)


def _fill_reuse(metrics: LedgerMetrics, labels: tuple[str, str], reuse: ReuseCounts) -> None:
    if not (reuse.hits or reuse.joined or reuse.misses):  # a version that reuses nothing
        return
    for result, count in ("hit", reuse.hits), ("joined", reuse.joined), ("miss", reuse.misses):
        metrics.reuse.add_metric((*labels, result), count)
    metrics.saved_bytes.add_metric(labels, reuse.bytes)
    metrics.saved_seconds.add_metric(labels, reuse.ms / 1000)
