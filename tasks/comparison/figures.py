"""The counts of the versions of a split, see arms.lua."""

from collections.abc import Iterable
from itertools import accumulate
from typing import Any, cast

import msgspec
import redis

from tasks.ledger import keys
from tasks.ledger.statistics import BUCKETS

SLOW_OVER, CALLS_BEFORE, SLOW_BEFORE = "slow_over", "calls_before", "slow_before"
MAX_PATH = 500
"""Points of the path that are kept."""


class ArmFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one version while it had one share of the requests."""

    version: int
    share: int
    """Percent."""
    answered: int = 0
    """Predictions that succeeded, or failed by an error of the version's side."""
    failed: int = 0
    errors: int = 0
    """Failures, of which each sticky key counts once."""
    calls: int = 0
    """Model calls, each of a microbatch."""
    calls_before: int = 0
    """Calls before the bound of slow calls was set."""
    slow_before: int = 0
    labelled: int = 0
    """Predictions with labels whose truth was told."""
    wrong: int = 0
    """Predictions with a wrong label; each sticky key counts once."""
    times: tuple[int, ...] = ()
    """Calls in each bucket of `BUCKETS`, and one bucket for longer ones."""

    def slow(self, bound: int) -> int:
        """Calls that took longer than the bucket of this number."""
        return sum(self.times[bound + 1 :])


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one split."""

    arms: tuple[ArmFigures, ...] = ()
    slow_over: int | None = None
    """The bucket above which a call is slow; None until it is set."""

    def of(self, version: int) -> list[ArmFigures]:
        """The figures of one version, by its shares."""
        return [arm for arm in self.arms if arm.version == version]


def call_percentile(arms: Iterable[ArmFigures], quantile: float) -> int | None:
    """The bucket in which the calls of these arms have a quantile; None if there were none."""
    counted = list(accumulate(map(sum, zip(*(arm.times for arm in arms), strict=True))))
    if not counted or not counted[-1]:
        return None
    return next(i for i, count in enumerate(counted) if count >= quantile * counted[-1])


class Comparisons:
    """Reads and clears what Redis has counted."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def read(self, split: str) -> Figures:
        """The counts of ``model@alias``."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(keys.COMPARED + split))
        return _figures({name.decode(): int(value) for name, value in found.items()})

    def clear(self, split: str) -> None:
        """Forget what was counted, before the split is of other versions."""
        key = keys.COMPARED + split
        self._client.delete(key, *(f"{key}:{part}" for part in ("erring", "mistaken", "path")))

    def set_slow(self, split: str, figures: Figures, bucket: int) -> None:
        """Set the bound of slow calls; those so far are left out of the comparison."""
        fields: dict[Any, Any] = {SLOW_OVER: bucket}
        for arm in figures.arms:
            fields[f"{arm.version}:{arm.share}:{CALLS_BEFORE}"] = arm.calls
            fields[f"{arm.version}:{arm.share}:{SLOW_BEFORE}"] = arm.slow(bucket)
        self._client.hset(keys.COMPARED + split, mapping=fields)

    def path(self, split: str) -> list[tuple[int, float]]:
        """How many the candidate had answered, and the evidence of harm then; oldest first."""
        found = cast("list[bytes]", self._client.lrange(f"{keys.COMPARED}{split}:path", 0, -1))
        return [msgspec.json.decode(point, type=tuple[int, float]) for point in found]

    def add_to_path(self, split: str, answered: int, evidence: float) -> None:
        """Note the evidence once a fiftieth more was answered than at the last note."""
        key = f"{keys.COMPARED}{split}:path"
        last = cast("bytes | None", self._client.lindex(key, -1))
        known = msgspec.json.decode(last, type=tuple[int, float])[0] if last else -1
        if answered > known * 1.02:
            self._client.rpush(key, msgspec.json.encode((answered, evidence)))
            self._client.ltrim(key, -MAX_PATH, -1)


def _figures(fields: dict[str, int]) -> Figures:
    arms: dict[tuple[int, int], dict[str, int]] = {}
    for name, value in fields.items():
        version, _, rest = name.partition(":")
        share, _, what = rest.partition(":")
        if what:
            arms.setdefault((int(version), int(share)), {})[what] = value
    return Figures(
        arms=tuple(_arm(*which, counts) for which, counts in sorted(arms.items())),
        slow_over=fields.get(SLOW_OVER),
    )


def _arm(version: int, share: int, counts: dict[str, int]) -> ArmFigures:
    times = tuple(counts.pop(f"t{bucket}", 0) for bucket in range(len(BUCKETS) + 1))
    return ArmFigures(version=version, share=share, times=times, **counts)
