"""Checks of a running stack: API, workers, canaries, queue, dead letters, pauses, restarts."""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from cli.doctor.finding import (
    Check,
    Finding,
    FindingLevel,
    Observation,
    finding_of,
    graded,
    listed,
    worst,
)
from stack.http import CallResult, call_http
from stack.running import RunningStack, local_key_at
from tasks.gateway import QUEUE, QUEUES
from tasks.settings import Settings

OLD_CANARY, DEAD_CANARY = 4, 20
"""Intervals since the latest canary was sent."""
LONG_WAIT, VERY_LONG_WAIT = 10.0, 120.0
"""Seconds that the oldest message of the queue has waited."""
_STACK = "docs/operations.md#look-inside"
_WORKERS = "docs/operations.md#workers"


def findings_of_stack(stack: RunningStack, port: int) -> Iterator[Finding]:
    """Check a stack by its API; the other checks are left out if that does not answer."""
    key = local_key_at(stack.url)
    stats = call_http(port, "GET", "/stats", local_key=key)
    first = finding_of(Check("API", _STACK, partial(_api, port, stats)))
    yield first
    if (told := _told(stats)) is not None:
        yield from map(finding_of, _checks(stack, port, key, told))


def _told(stats: CallResult) -> dict[str, Any] | None:
    """The answer of `/stats`; None if another program answers."""
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(stats.body, type=dict[str, Any]) if stats.status == 200 else None
    return None


def _checks(stack: RunningStack, port: int, key: str | None, told: dict[str, Any]) -> list[Check]:
    replacing = "docs/operations.md#replace-processes-under-load"
    return [
        Check("workers", "docs/runbooks/no-worker.md", partial(_workers, told)),
        Check("processors", _WORKERS, partial(_processors, told)),
        Check("canaries", "docs/runbooks/canary-age.md", partial(_canaries, told)),
        Check("queue", "docs/runbooks/queue-age.md", partial(_queue, port, key)),
        Check("dead letters", "docs/runbooks/dead-letters.md", partial(_dead_letters, told)),
        Check("paused versions", "docs/runbooks/version-paused.md", partial(_paused, told)),
        Check("restart", replacing, partial(_restart, stack)),
    ]


def _api(port: int, stats: CallResult) -> Observation:
    ready = call_http(port, "GET", "/ready")
    if ready.status == 200 and stats.status == 200:
        if _told(stats) is None:
            remedy = "Stop the program that has this port, and start the stack again."
            return Observation("fail", f"another program answers on port {port}", remedy)
        return Observation("pass", "ready")
    if not ready.status:
        remedy = "Read logs/api.log in the home."
        return Observation("fail", f"does not answer on port {port}", remedy)
    remedy = "Follow the check of Redis or of the workers, whichever fails."
    return Observation("fail", f"not ready: HTTP {ready.status}", remedy)


def _workers(told: dict[str, Any]) -> Observation:
    counts = {q: sum(q in each["queues"] for each in told["workers"]) for q in QUEUES}
    text = ", ".join(f"{queue} {count}" for queue, count in counts.items())
    remedy = "Read logs/worker.log and logs/bulk.log in the home."
    if not counts[QUEUE]:
        return Observation("fail", f"{text}: no prediction is computed", remedy)
    if not all(counts.values()):
        return Observation("warn", f"{text}: batch jobs and uploads wait", remedy)
    return Observation("pass", text)


def _processors(told: dict[str, Any]) -> Observation:
    processes = sum(each["processes"] for each in told["workers"] if QUEUE in each["queues"])
    cores = len(os.sched_getaffinity(0))
    text = f"{processes} processes compute predictions on {cores} processors"
    remedy = "Start with fewer --workers: each process computes on one processor."
    return Observation(graded(processes, warn=cores, fail=8 * cores), text, remedy)


def _canaries(told: dict[str, Any]) -> Observation:
    ages = {queue: each["age_seconds"] for queue, each in told["canaries"].items()}
    remedy = "Read logs/worker.log in the home, and look at what the queue waits for."
    if not ages:
        return Observation("warn", "no canary has an outcome yet", remedy)
    levels = [_canary_level(age, told["uptime_seconds"]) for age in ages.values()]
    text = ", ".join(f"{queue} {age:.0f} s ago" for queue, age in ages.items())
    return Observation(worst(levels), text, remedy)


def _canary_level(age: float, uptime: float) -> FindingLevel:
    """The level of the latest canary; it may be from before the start, and says little then."""
    interval = Settings.from_environment().canary_interval
    old = OLD_CANARY if age <= uptime else 0
    return graded(min(age, uptime) / interval, warn=old, fail=DEAD_CANARY)


def _queue(port: int, key: str | None) -> Observation:
    scraped = call_http(port, "GET", "/metrics", local_key=key)
    if scraped.status != 200:
        return Observation("fail", f"/metrics: HTTP {scraped.status}", "Read logs/api.log.")
    oldest = _oldest(scraped.body.decode())
    remedy = "Add workers, or pause what fills the queue, before callers' deadlines pass."
    if oldest is None:
        return Observation("pass", "the oldest message is of a stock producer: age unknown")
    level = graded(oldest, warn=LONG_WAIT, fail=VERY_LONG_WAIT)
    return Observation(level, f"the oldest message has waited {oldest:.1f} s", remedy)


def _oldest(scraped: str) -> float | None:
    samples = [
        each for family in text_string_to_metric_families(scraped) for each in family.samples
    ]
    found = (
        each.value
        for each in samples
        if each.name == "predictq_queue_oldest_seconds" and each.labels["queue"] == QUEUE
    )
    return next(found, None)


def _dead_letters(told: dict[str, Any]) -> Observation:
    count = told["dead_letters"]
    remedy = "Correct the cause (`predictq dead-letters list`), then replay or delete them."
    return Observation("warn" if count else "pass", f"{count:,}", remedy)


def _paused(told: dict[str, Any]) -> Observation:
    paused = told["paused"]
    names = [f"{each['model']} ({each['reason']})" for each in paused]
    # An operator's own pause is no fault, but is easily forgotten.
    automatic = any(each["trigger"] != "operator" for each in paused)
    level: FindingLevel = "fail" if automatic else "warn" if paused else "pass"
    remedy = "Correct the cause; `predictq models resume NAME:VERSION` ends the pause."
    return Observation(level, listed(names) or "none", remedy)


def _restart(stack: RunningStack) -> Observation:
    remedy = "Stop the stack and start it again: these run the code from before."
    if stack.stayed:
        return Observation("warn", f"not replaced: {listed(list(stack.stayed))}", remedy)
    return Observation("pass", "every process runs the present code")
