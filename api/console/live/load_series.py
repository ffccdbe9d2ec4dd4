"""Rates and latencies, from the differences between snapshots that this process holds."""

from collections import deque
from collections.abc import Sequence
from itertools import accumulate

import msgspec

from api.console.live.snapshot import StackSnapshot
from tasks.ledger.statistics import BUCKETS

BUCKET_SECONDS = 10
"""Seconds between two points, and the least time over which rates are computed."""
MAX_POINTS = 3600 // BUCKET_SECONDS
"""Points kept: an hour."""


class Counters(msgspec.Struct, frozen=True):
    """The counters of a snapshot, whose differences are rates."""

    at: float
    accepted: int
    answered: int
    histogram: tuple[int, ...]

    @classmethod
    def of(cls, now: StackSnapshot) -> "Counters":
        """The counters of this snapshot."""
        return cls(now.at, now.accepted, now.answered, now.histogram)


class Point(msgspec.Struct, frozen=True, array_like=True):
    """The load of the last seconds; latencies are None if nothing was answered."""

    at: float
    accepted: float
    """Messages a second that entered the queues."""
    answered: float
    """Outcomes a second."""
    p50: float | None
    """Seconds from acceptance to outcome."""
    p95: float | None
    p99: float | None
    oldest: float
    """Seconds that the oldest message has waited."""
    depth: int
    """Messages that wait."""


class LoadSeries:
    """The points of the last hour, and the load of the last seconds."""

    def __init__(self) -> None:
        self.points: deque[Point] = deque(maxlen=MAX_POINTS)
        self._recent: deque[Counters] = deque()

    def add(self, now: StackSnapshot) -> Point:
        """Add a snapshot; returns the load of about the last ten seconds."""
        self._recent.append(Counters.of(now))
        # The first one that is kept lies a bucket back, so that rates are not over a single second.
        while len(self._recent) > 2 and self._recent[1].at <= now.at - BUCKET_SECONDS:
            self._recent.popleft()
        point = _point(self._recent[0], now)
        if not self.points or now.at - self.points[-1].at >= BUCKET_SECONDS:
            self.points.append(point)
        return point


def _point(before: Counters, now: StackSnapshot) -> Point:
    after = Counters.of(now)
    seconds = after.at - before.at
    latencies = [b - a for a, b in zip(before.histogram, after.histogram, strict=True)]
    return Point(
        at=now.at,
        accepted=_rate(before.accepted, after.accepted, seconds),
        answered=_rate(before.answered, after.answered, seconds),
        p50=percentile(latencies, 0.50),
        p95=percentile(latencies, 0.95),
        p99=percentile(latencies, 0.99),
        oldest=now.oldest,
        depth=sum(queue.depth for queue in now.queues.values()),
    )


def _rate(before: int, after: int, seconds: float) -> float:
    # A purge, or the removal of a version, lowers a counter; a rate is never negative.
    return max(after - before, 0) / seconds if seconds > 0 else 0.0


def percentile(histogram: Sequence[int], share: float) -> float | None:
    """Latency in seconds at a quantile (0 to 1), as a bucket's upper bound; None if empty."""
    counted = list(accumulate(max(n, 0) for n in histogram))
    if not counted[-1]:
        return None
    step = next(i for i, total in enumerate(counted) if total >= share * counted[-1])
    return BUCKETS[min(step, len(BUCKETS) - 1)]
