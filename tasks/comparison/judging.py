"""Judges a split by what Redis knows of it now."""

from typing import cast

import msgspec
import redis

from tasks.comparison.figures import Comparisons, Figures
from tasks.comparison.verdict import Comparison, Verdict, slow_bound, verdict
from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Pause


class Judging:
    """Reads and judges what was counted, and notes how the evidence grows."""

    def __init__(self, client: redis.Redis) -> None:
        self._client, self._comparisons = client, Comparisons(client)

    def judge(self, split: str, comparison: Comparison) -> Verdict:
        """The verdict on ``model@alias``; sets the bound of slow calls once it can be known."""
        bound = slow_bound(comparison, figures := self._comparisons.read(split))
        if bound is not None:
            self._comparisons.set_slow(split, figures, bound)
        figures, found = self.look(split, comparison)
        answered = sum(arm.answered for arm in figures.of(comparison.version))
        highest = max(each.evidence for each in found.measures)
        self._comparisons.add_to_path(split, answered, highest)
        return found

    def look(self, split: str, comparison: Comparison) -> tuple[Figures, Verdict]:
        """The figures and the verdict, without a note of either."""
        figures = self._comparisons.read(split)
        paused = self._paused(f"{split.partition('@')[0]}:{comparison.version}")
        return figures, verdict(comparison, figures, paused)

    def _paused(self, version: str) -> str | None:
        """Why a version was paused by itself; None if it is not, or an operator paused it."""
        stored = cast("bytes | None", self._client.hget(keys.PAUSED, version))
        if stored is None:
            return None
        pause = msgspec.json.decode(stored, type=Pause)
        return None if pause.trigger == "operator" else pause.reason
