"""Counts and latencies per version, written by settle.lua: each outcome counts once."""

from bisect import bisect_left
from itertools import accumulate
from typing import cast

import msgspec
import redis

from tasks.ledger import keys
from tasks.ledger.queue.canaries import CANARY_MODEL

# 1 ms to about 9 minutes; each bound is a quarter above the last, so percentiles are within 12%.
BUCKETS: tuple[float, ...] = tuple(round(0.001 * 1.25**step, 6) for step in range(60))


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """All outcomes of one version since the ledger began."""

    model: str
    version: int
    outcomes: dict[str, int]
    """State → predictions."""
    rows: int
    seconds: float
    """Sum over predictions of the seconds from acceptance to outcome."""
    histogram: tuple[int, ...]
    """Predictions per bucket of `BUCKETS`, plus one bucket for longer ones."""

    @property
    def reference(self) -> str:
        """``model:version``."""
        return f"{self.model}:{self.version}"

    def percentile(self, share: float) -> float | None:
        """Latency in seconds at a quantile (0 to 1), as a bucket's upper bound; None if empty."""
        counted = list(accumulate(self.histogram))
        if not counted[-1]:
            return None
        step = bisect_left(counted, share * counted[-1])
        return BUCKETS[min(step, len(BUCKETS) - 1)]


def bucket(seconds: float) -> int:
    """Index of the histogram bucket for a latency."""
    return bisect_left(BUCKETS, seconds)


def parse_statistics(reference: str, fields: dict[str, str]) -> Statistics:
    """Read one statistics hash."""
    model, _, version = reference.rpartition(":")
    states = ("succeeded", "failed", "cancelled", "expired")
    return Statistics(
        model=model,
        version=int(version),
        outcomes={state: int(float(fields.get(state, 0))) for state in states},
        rows=int(float(fields.get("rows", 0))),
        seconds=float(fields.get("seconds", 0)),
        histogram=tuple(int(float(fields.get(str(i), 0))) for i in range(len(BUCKETS) + 1)),
    )


def collected(client: redis.Redis) -> list[Statistics]:
    """Statistics of every version that has settled predictions, without canaries."""
    answered = cast("set[bytes]", client.smembers(keys.ANSWERED))
    versions = sorted({version.decode() for version in answered} - {CANARY_MODEL})
    with client.pipeline(transaction=False) as pipe:
        for version in versions:
            pipe.hgetall(keys.STATISTICS + version)
        read = pipe.execute()
    return [
        parse_statistics(version, {k.decode(): v.decode() for k, v in fields.items()})
        for version, fields in zip(versions, read, strict=True)
    ]
