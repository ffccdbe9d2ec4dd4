"""The catalogue of metrics: every name is declared here, with its help text."""

import os
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, multiprocess
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

HTTP_REQUESTS = Counter(
    "predictq_http_requests_total", "HTTP requests answered.", ("route", "method", "status")
)
HTTP_SECONDS = Histogram(
    "predictq_http_request_seconds",
    "Time to answer an HTTP request.",
    ("route",),
    # Submissions take milliseconds; waiting requests take up to the longest wait.
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
LOST = Counter("predictq_lost_total", "Look-ups of accepted predictions that Redis has lost.")


class LedgerMetrics(NamedTuple):
    """Metrics read at each scrape, most from Redis; every API process reports the same values."""

    predictions: CounterMetricFamily
    rows: CounterMetricFamily
    seconds: HistogramMetricFamily
    tenant_predictions: CounterMetricFamily
    tenant_rows: CounterMetricFamily
    reuse: CounterMetricFamily
    saved_bytes: CounterMetricFamily
    saved_seconds: CounterMetricFamily
    queued: GaugeMetricFamily
    oldest: GaugeMetricFamily
    drain_rate: GaugeMetricFamily
    canary_age: GaugeMetricFamily
    canary_seconds: GaugeMetricFamily
    canary_interval: GaugeMetricFamily
    reserved: GaugeMetricFamily
    queue_workers: GaugeMetricFamily
    unserved: GaugeMetricFamily
    stalls: CounterMetricFamily
    workers: GaugeMetricFamily
    worker_memory: GaugeMetricFamily
    up: GaugeMetricFamily
    dead_letters: GaugeMetricFamily
    dead_letter_bytes: GaugeMetricFamily
    dead_letters_dropped: CounterMetricFamily
    paused: GaugeMetricFamily
    parked: GaugeMetricFamily
    webhooks: GaugeMetricFamily
    webhook_events: CounterMetricFamily
    webhook_failures: CounterMetricFamily
    webhook_overdue: GaugeMetricFamily
    spans: CounterMetricFamily
    deployment_processes: GaugeMetricFamily
    deployment_concurrency: GaugeMetricFamily
    deployment_predictions: CounterMetricFamily
    drifted_features: GaugeMetricFamily
    drift_rows: GaugeMetricFamily
    redis_memory: GaugeMetricFamily
    redis_memory_limit: GaugeMetricFamily
    clock_skew: GaugeMetricFamily
    disk_free: GaugeMetricFamily
    disk_reserve: GaugeMetricFamily


def ledger_metrics() -> LedgerMetrics:
    """A new, empty set for one scrape."""
    version, deployment = ("model", "version"), ("model", "environment")
    return LedgerMetrics(
        CounterMetricFamily(
            "predictq_predictions", "Outcomes written.", labels=(*version, "outcome")
        ),
        CounterMetricFamily("predictq_rows", "Rows in succeeded predictions.", labels=version),
        HistogramMetricFamily(
            "predictq_prediction_seconds", "Acceptance to outcome.", labels=version
        ),
        CounterMetricFamily(
            "predictq_tenant_predictions",
            "Outcomes written for a tenant, other than the default one.",
            labels=("tenant", "outcome"),
        ),
        CounterMetricFamily(
            "predictq_tenant_rows",
            "Rows in succeeded predictions of a tenant, other than the default one.",
            labels=("tenant",),
        ),
        CounterMetricFamily(
            "predictq_cache",
            "Predictions that might reuse an answer: hit, joined or miss.",
            labels=(*version, "result"),
        ),
        CounterMetricFamily(
            "predictq_cache_saved_bytes", "Bytes of answers that were reused.", labels=version
        ),
        CounterMetricFamily(
            "predictq_cache_saved_seconds",
            "Time in the model that reused answers would have taken.",
            labels=version,
        ),
        GaugeMetricFamily("predictq_queue_messages", "Messages waiting.", labels=("queue",)),
        GaugeMetricFamily(
            "predictq_queue_oldest_seconds",
            "Time that the oldest message of the queue has waited; 0 if it is empty.",
            labels=("queue",),
        ),
        GaugeMetricFamily(
            "predictq_queue_drain_rate",
            "Messages a second that left the queue while others waited.",
            labels=("queue",),
        ),
        GaugeMetricFamily(
            "predictq_canary_age_seconds",
            "Time since the latest successful canary was sent.",
            labels=("queue",),
        ),
        GaugeMetricFamily(
            "predictq_canary_seconds",
            "Time from that canary's submission to its outcome.",
            labels=("queue",),
        ),
        GaugeMetricFamily(
            "predictq_canary_interval_seconds", "Time between two canaries, as it is set."
        ),
        GaugeMetricFamily("predictq_reserved_messages", "Messages that workers hold."),
        GaugeMetricFamily(
            "predictq_queue_workers",
            "Live workers of the queue, without those that load their first models.",
            labels=("queue",),
        ),
        GaugeMetricFamily(
            "predictq_unserved_messages",
            "Messages waiting in a queue without a worker; 0 if it has one.",
            labels=("queue",),
        ),
        CounterMetricFamily("predictq_worker_stalls", "Workers that ended because they stalled."),
        GaugeMetricFamily("predictq_workers", "Live workers."),
        GaugeMetricFamily("predictq_worker_memory_bytes", "Resident memory.", labels=("worker",)),
        GaugeMetricFamily("predictq_redis_up", "1 when Redis answers."),
        GaugeMetricFamily("predictq_dead_letters", "Dead letters kept."),
        GaugeMetricFamily("predictq_dead_letter_bytes", "Bytes of dead letters kept."),
        CounterMetricFamily(
            "predictq_dead_letters_dropped", "Dead letters dropped to stay within the bounds."
        ),
        GaugeMetricFamily("predictq_paused", "1 while paused.", labels=(*version, "trigger")),
        GaugeMetricFamily("predictq_parked_messages", "Messages parked.", labels=version),
        GaugeMetricFamily("predictq_webhooks", "Webhooks that wait for an event or its delivery."),
        CounterMetricFamily(
            "predictq_webhook_events", "Events delivered or given up.", labels=("result",)
        ),
        CounterMetricFamily(
            "predictq_webhook_failed_attempts", "Attempts to send an event that failed."
        ),
        GaugeMetricFamily(
            "predictq_webhook_overdue_seconds",
            "Time for which the oldest event has been due that is not being sent.",
        ),
        CounterMetricFamily(
            "predictq_spans", "Spans of traces exported or lost.", labels=("result",)
        ),
        GaugeMetricFamily(
            "predictq_deployment_processes",
            "Processes of the deployment that are ready to compute.",
            labels=deployment,
        ),
        GaugeMetricFamily(
            "predictq_deployment_concurrency",
            "Processes that the deployment should have; 0 while it is stopped.",
            labels=deployment,
        ),
        CounterMetricFamily(
            "predictq_deployment_predictions",
            "Outcomes written by workers of the deployment.",
            labels=(*deployment, "outcome"),
        ),
        GaugeMetricFamily(
            "predictq_drifted_features",
            "Columns and outputs that are far from the sample, over 24 hours.",
            labels=(*version, "kind"),
        ),
        GaugeMetricFamily(
            "predictq_drift_rows", "Rows counted for drift, over 24 hours.", labels=version
        ),
        GaugeMetricFamily("predictq_redis_memory_bytes", "Memory that Redis uses for its data."),
        GaugeMetricFamily(
            "predictq_redis_memory_limit_bytes", "Redis's maxmemory; left out if it has none."
        ),
        GaugeMetricFamily(
            "predictq_clock_skew_seconds", "Difference between the API's clock and Redis's."
        ),
        GaugeMetricFamily("predictq_disk_free_bytes", "Free space on the disk of the home."),
        GaugeMetricFamily("predictq_disk_reserve_bytes", "The disk reserve."),
    )


def registry() -> CollectorRegistry:
    """A registry of the API's metrics, summed over its processes if there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        single = CollectorRegistry()
        single.register(HTTP_REQUESTS)
        single.register(HTTP_SECONDS)
        single.register(LOST)
        return single
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # untyped there
    return shared
