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


class ReuseCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How often predictions that may reuse an answer did, and what that saved."""

    hits: int = 0
    """Predictions that had the answer when they were accepted."""
    joined: int = 0
    """Predictions that waited for the answer of another one, and got it."""
    misses: int = 0
    """Predictions that were computed."""
    bytes: int = 0
    """Of the answers that were hit."""
    ms: float = 0.0
    """Milliseconds in the model that the hits would have taken."""


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
    reuse: ReuseCounts = ReuseCounts()

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
        # The last bucket has no bound of its own, so the one before it stands for it.
        return BUCKETS[min(step, len(BUCKETS) - 1)]


def bucket(seconds: float) -> int:
    """Index of the histogram bucket for a latency."""
    return bisect_left(BUCKETS, seconds)


def parse_statistics(
    reference: str, fields: dict[str, str], reuse: dict[str, str] | None = None
) -> Statistics:
    """Read one statistics hash, and that of how answers were reused."""
    model, _, version = reference.rpartition(":")
    states = ("succeeded", "failed", "cancelled", "expired")
    return Statistics(
        model=model,
        version=int(version),
        outcomes={state: int(float(fields.get(state, 0))) for state in states},
        rows=int(float(fields.get("rows", 0))),
        seconds=float(fields.get("seconds", 0)),
        histogram=tuple(int(float(fields.get(str(i), 0))) for i in range(len(BUCKETS) + 1)),
        reuse=msgspec.convert(reuse or {}, ReuseCounts, strict=False),
    )


def collected(client: redis.Redis) -> list[Statistics]:
    """Statistics of every version that has settled predictions, without canaries."""
    answered = cast("set[bytes]", client.smembers(keys.ANSWERED))
    versions = sorted({version.decode() for version in answered} - {CANARY_MODEL})
    with client.pipeline(transaction=False) as pipe:
        for version in versions:
            pipe.hgetall(keys.STATISTICS + version)
            pipe.hgetall(keys.REUSE + version)
        read = map(_texts, pipe.execute())
    return [parse_statistics(version, next(read), next(read)) for version in versions]


def _texts(fields: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in fields.items()}
