"""For each alert, series that make it fire, and series that must not: read by our evaluator and by
promtool, which must agree. Values are a minute apart, in promtool's notation."""

import re
from collections.abc import Iterator
from typing import NamedTuple

Series = dict[str, str]
"""A series as Prometheus writes it → its values, such as ``0+5x10 7x3``."""


class Case(NamedTuple):
    """At ``minutes`` the alert fires for one set of series, and for none of the others."""

    minutes: int
    fires: Series
    silent: tuple[Series, ...]


def _burning(
    total: str, part: str, events: float, burning: float, calm: float, minutes: int
) -> Case:
    """``burning`` and ``calm``: of the part a minute, of so many events."""
    end = f"x{minutes}"
    return Case(
        minutes,
        {total: f"0+{events}{end}", part: f"0+{burning}{end}"},
        (
            {total: f"0+{events}{end}", part: f"0+{calm}{end}"},
            {total: f"0+0.01{end}", part: f"0+{burning / events / 100:.6f}{end}"},  # low traffic
        ),
    )


WORKERS = 'predictq_queue_workers{queue="predict"}'
COUNT = 'predictq_prediction_seconds_count{model="iris",version="1"}'
IN_TIME = 'predictq_prediction_seconds_bucket{le="1.009742",model="iris",version="1"}'
ASKED = 'predictq_http_requests_total{method="POST",route="/predict",status="200"}'
REFUSED = 'predictq_http_requests_total{method="POST",route="/predict",status="503"}'
SUCCEEDED = 'predictq_predictions_total{model="iris",outcome="succeeded",version="1"}'
FAILED = 'predictq_predictions_total{model="iris",outcome="failed",version="1"}'
MEMORY, LIMIT = "predictq_redis_memory_bytes", "predictq_redis_memory_limit_bytes"
FREE, RESERVE = "predictq_disk_free_bytes", "predictq_disk_reserve_bytes"
PAUSED = 'predictq_paused{model="iris",trigger="%s",version="1"}'
OLDEST = 'predictq_queue_oldest_seconds{queue="predict"}'
CANARY, INTERVAL = (
    'predictq_canary_age_seconds{queue="predict"}',
    "predictq_canary_interval_seconds",
)
UNSERVED = 'predictq_unserved_messages{queue="%s"}'
DRIFTED = 'predictq_drifted_features{kind="%s",model="iris",version="1"}'

CASES = {
    "api-down": Case(5, {'up{job="predictq-api"}': "0x5"}, ({'up{job="predictq-api"}': "1x5"},)),
    "redis-down": Case(5, {"predictq_redis_up": "0x5"}, ({"predictq_redis_up": "1x5"},)),
    "lost": Case(
        9,
        {"predictq_lost_total": "0x5 3x4"},
        ({"predictq_lost_total": "3x9"}, {"predictq_lost_total": "0x9"}),
    ),
    "no-worker": Case(5, {WORKERS: "0x5"}, ({WORKERS: "1x5"}, {WORKERS: "0x3 1x2"})),
    "no-bulk-worker": Case(
        5, {UNSERVED % "bulk": "2x5"}, ({UNSERVED % "bulk": "0x5"}, {UNSERVED % "predict": "2x5"})
    ),
    "queue-age": Case(5, {OLDEST: "31x5"}, ({OLDEST: "29x5"}, {OLDEST: "31x3 2x2"})),
    "canary-age": Case(
        5,
        {CANARY: "61x5", INTERVAL: "15x5"},
        ({CANARY: "59x5", INTERVAL: "15x5"}, {CANARY: "61x5"}),
    ),
    "worker-stalled": Case(
        9, {"predictq_worker_stalls_total": "4x5 5x4"}, ({"predictq_worker_stalls_total": "4x9"},)
    ),
    "version-paused": Case(
        5,
        {PAUSED % "failures": "1x5"},
        ({PAUSED % "operator": "1x5"},),
    ),
    "version-paused-by-operator": Case(
        70, {PAUSED % "operator": "1x70"}, ({PAUSED % "operator": "_x50 1x20"},)
    ),
    "dead-letters": Case(5, {"predictq_dead_letters": "1x5"}, ({"predictq_dead_letters": "0x5"},)),
    "dead-letters-dropped": Case(
        9,
        {"predictq_dead_letters_dropped_total": "0x5 9x4"},
        ({"predictq_dead_letters_dropped_total": "9x9"},),
    ),
    "redis-memory": Case(
        5, {MEMORY: "71x5", LIMIT: "100x5"}, ({MEMORY: "69x5", LIMIT: "100x5"}, {MEMORY: "71x5"})
    ),
    "disk-low": Case(9, {FREE: "19x9", RESERVE: "10x9"}, ({FREE: "21x9", RESERVE: "10x9"},)),
    "disk-full": Case(
        9,
        {FREE: "9x9", RESERVE: "10x9"},
        ({FREE: "11x9", RESERVE: "10x9"}, {FREE: "9x9", RESERVE: "0x9"}),
    ),
    "clock-skew": Case(
        9, {"predictq_clock_skew_seconds": "0.6x9"}, ({"predictq_clock_skew_seconds": "0.4x9"},)
    ),
    "drift": Case(
        90,
        {DRIFTED % "column": "2x90"},
        ({DRIFTED % "column": "0x90"}, {DRIFTED % "output": "2x90"}),
    ),
    "answered-in-time-fast": _burning(COUNT, IN_TIME, 600, 480, 590, 12),
    "answered-in-time-slow": _burning(COUNT, IN_TIME, 600, 570, 597, 25),
    "accepted-fast": _burning(ASKED, REFUSED, 1000, 30, 2, 12),
    "accepted-slow": _burning(ASKED, REFUSED, 1000, 4, 0.5, 25),
    "succeeded-fast": _burning(SUCCEEDED, FAILED, 100, 30, 2, 12),
    "succeeded-slow": _burning(SUCCEEDED, FAILED, 100, 5, 0.5, 25),
}
_values = re.compile(r"(_|[\d.]+)(?:\+([\d.]+))?x(\d+)")


def values(notation: str) -> Iterator[float | None]:
    """The values of a series, as promtool reads them; None where there is none."""
    for start, step, times in _values.findall(notation):
        # `_x5` are five values, `1x5` six.
        for number in range(int(times) + (start != "_")):
            yield None if start == "_" else float(start) + number * float(step or 0)
