"""Counts the results of many cases."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from benchmarks.equality.judging import Finding, Verdict

SHOWN = 50
"""How many findings are kept."""
Counts = dict[str, int]


class Tally(msgspec.Struct):
    """Counts of a run; a case with several column types counts for each of them."""

    cases: int = 0
    failed: int = 0
    """Cases with a finding."""
    forms: Counts = {}
    wrappers: Counts = {}
    estimators: Counts = {}
    kinds: Counts = {}
    doors: dict[str, Counts] = {}
    """Door → its rows: answered, refused by the model, refused by the door, excluded."""
    refusals: Counts = {}
    """Reasons why models were refused at registration."""
    findings: list[Finding] = []

    def add(self, verdict: Verdict) -> None:
        """Add the result of a case."""
        self.cases += 1
        self.failed += bool(verdict.findings)
        _count(self.forms, [verdict.form])
        _count(self.wrappers, [verdict.wrapper])
        _count(self.estimators, [verdict.estimator])
        _count(self.kinds, verdict.kinds)
        _count(self.refusals, [verdict.refusal] if verdict.refusal else [])
        for door, counts in verdict.counts.items():
            self.doors[door] = dict(Counter(self.doors.get(door, {})) + Counter(counts))
        self.findings += verdict.findings[: SHOWN - len(self.findings)]


def _count(counts: Counts, names: Iterable[str]) -> None:
    for name in names:
        counts[name] = counts.get(name, 0) + 1
