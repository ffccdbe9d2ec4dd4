"""What is kept of a minute."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from tasks.timeline.call_sums import CallSums

KeyType = TypeVar("KeyType")
MAX_MINUTE_VERSIONS = 100
"""Versions that are kept of a minute, the busiest ones."""


class VersionMinute(msgspec.Struct, frozen=True, array_like=True):
    """What one version did."""

    outcomes: dict[str, int]
    """State → predictions, without zeros."""
    rows: int
    """In succeeded predictions."""
    seconds: float
    """Sum over predictions of the seconds from acceptance to outcome."""
    histogram: dict[int, int]
    """Place of the bucket in `tasks.ledger.statistics.BUCKETS` → predictions, without zeros."""
    calls: CallSums


class HostMinute(msgspec.Struct, frozen=True, array_like=True):
    """What the stack had at the end of a minute."""

    depth: int
    """Messages that waited in all queues."""
    oldest: float
    """Seconds that the oldest of them had waited."""
    processes: int
    """That compute."""
    worker_bytes: int
    """Resident memory of all workers; shared memory counts in each process."""
    redis_bytes: int
    cpu: float
    """Share of the processors of the bulk worker's host that was busy, from 0 to 1."""


class Minute(msgspec.Struct, frozen=True, array_like=True):
    """What was counted between two recordings, a minute apart while a bulk worker runs."""

    at: float
    """Unix seconds at its end, by the clock of the bulk worker's host."""
    seconds: float
    """From its begin to its end."""
    accepted: int
    """Messages that entered the queues."""
    versions: dict[str, VersionMinute]
    """model:version → what it did, of those that did something."""
    host: HostMinute


class CounterTotals(msgspec.Struct, frozen=True, array_like=True):
    """The counters of the ledger at a moment; what they grow by makes a minute."""

    at: float
    accepted: int
    versions: dict[str, VersionMinute]


def grown(before: CounterTotals, now: CounterTotals, host: HostMinute, longest: float) -> Minute:
    """The minute between two totals; one that took longer than ``longest`` counts as so long."""
    differences = {
        version: _difference(before.versions.get(version), after)
        for version, after in now.versions.items()
    }
    busy = [(v, each) for v, each in differences.items() if each.outcomes or each.calls.calls]
    busy.sort(key=lambda pair: -sum(pair[1].outcomes.values()))
    return Minute(
        at=now.at,
        seconds=min(max(now.at - before.at, 1.0), longest),
        accepted=max(now.accepted - before.accepted, 0),  # a purge lowers it
        versions=dict(busy[:MAX_MINUTE_VERSIONS]),
        host=host,
    )


def _difference(before: VersionMinute | None, now: VersionMinute) -> VersionMinute:
    if before is None or now.seconds < before.seconds:  # Redis has lost what was counted
        return now
    return VersionMinute(
        outcomes=_less(now.outcomes, before.outcomes),
        rows=now.rows - before.rows,
        seconds=now.seconds - before.seconds,
        histogram=_less(now.histogram, before.histogram),
        calls=now.calls - before.calls,
    )


def _less(now: Mapping[KeyType, int], before: Mapping[KeyType, int]) -> dict[KeyType, int]:
    less = {key: count - before.get(key, 0) for key, count in now.items()}
    return {key: count for key, count in less.items() if count > 0}
