"""Prints the dashboard of Grafana; what it prints is committed as `predictq.json` beside it.

A panel is a title, a unit of Grafana, and queries with their legends.
"""

import json
from typing import Any, NamedTuple

WIDTH, HEIGHT = 8, 8
"""Of a panel; a row of Grafana has 24 columns."""
SOURCE = {"type": "prometheus", "uid": "${source}"}
RANGE = "[$__rate_interval]"


class Panel(NamedTuple):
    """A chart."""

    title: str
    unit: str
    queries: dict[str, str]
    """Legend → PromQL."""


def _quantile(share: str, metric: str) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket{RANGE})))"


ROWS = {
    "Is all well?": [
        Panel("Predictions a second, by outcome", "reqps", {
            "{{outcome}}": f"sum by (outcome) (rate(predictq_predictions_total{RANGE}))",
        }),
        Panel("From acceptance to outcome", "s", {
            f"p{name}": _quantile(share, "predictq_prediction_seconds")
            for name, share in (("50", "0.5"), ("95", "0.95"), ("99", "0.99"))
        }),
        Panel("Age of the oldest message", "s", {
            "{{queue}}": "max by (queue) (predictq_queue_oldest_seconds)",
        }),
    ],
    "Queues and workers": [
        Panel("Messages", "short", {
            "waiting, {{queue}}": "max by (queue) (predictq_queue_messages)",
            "held by workers": "max(predictq_reserved_messages)",
            "without a worker, {{queue}}": "max by (queue) (predictq_unserved_messages)",
        }),
        Panel("Workers", "short", {
            "{{queue}}": "max by (queue) (predictq_queue_workers)",
            "stalled in an hour": "sum(increase(predictq_worker_stalls_total[1h]))",
        }),
        Panel("Memory of workers", "bytes", {
            "{{worker}}": "max by (worker) (predictq_worker_memory_bytes)",
        }),
    ],
    "HTTP": [
        Panel("Requests a second, by status", "reqps", {
            "{{status}}": f"sum by (status) (rate(predictq_http_requests_total{RANGE}))",
        }),
        Panel("Requests a second, by route", "reqps", {
            "{{route}}": f"topk(10, sum by (route) (rate(predictq_http_requests_total{RANGE})))",
        }),
        Panel("Time to answer, p99", "s", {
            "{{route}}": (
                "histogram_quantile(0.99, sum by (le, route) "
                f"(rate(predictq_http_request_seconds_bucket{RANGE})))"
            ),
        }),
    ],
    "Models": [
        Panel("Rows a second", "rowsps", {
            "{{model}}:{{version}}": (
                f"topk(20, sum by (model, version) (rate(predictq_rows_total{RANGE})))"
            ),
        }),
        Panel("p99, by version", "s", {
            "{{model}}:{{version}}": (
                "topk(20, histogram_quantile(0.99, sum by (le, model, version) "
                f"(rate(predictq_prediction_seconds_bucket{RANGE}))))"
            ),
        }),
        Panel("Dead letters", "short", {
            "kept": "max(predictq_dead_letters)",
            "lost predictions, as callers were told": "sum(predictq_lost_total)",
        }),
    ],
    "Redis and the machine": [
        Panel("Memory of Redis", "bytes", {
            "used": "max(predictq_redis_memory_bytes)",
            "limit": "max(predictq_redis_memory_limit_bytes)",
        }),
        Panel("Disk of the home", "bytes", {
            "free": "min(predictq_disk_free_bytes)",
            "reserve": "max(predictq_disk_reserve_bytes)",
        }),
        Panel("Difference of the clocks", "s", {
            "API and Redis": "max(predictq_clock_skew_seconds)",
        }),
    ],
}  # fmt: skip


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS.items():
        place = {"x": 0, "y": top, "w": 24, "h": 1}
        panels.append(
            {"id": len(panels) + 1, "type": "row", "title": title, "gridPos": place, "panels": []}
        )
        for column, each in enumerate(row):
            place = {"x": column * WIDTH, "y": top + 1, "w": WIDTH, "h": HEIGHT}
            panels.append(_panel(len(panels) + 1, each, place))
        top += HEIGHT + 1
    source = {
        "name": "source",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
    }
    return {
        "uid": "predictq",
        "title": "predictq",
        "tags": ["predictq"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(65 + n), "expr": query, "legendFormat": legend, "datasource": SOURCE}
        for n, (legend, query) in enumerate(panel.queries.items())
    ]
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list"}, "tooltip": {"mode": "multi"}},
        "targets": targets,
    }


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=2))
