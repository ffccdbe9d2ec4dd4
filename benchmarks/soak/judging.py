"""Decides whether a process grows, by linear regression over its samples after the warm-up."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import linear_regression

import msgspec

from benchmarks.harness.results import Cell, Check
from benchmarks.soak.sampling import Key, Sample

MEBIBYTE = 2**20
WARM_UP = 1 / 3
"""Share of the time that is not counted, for caches and late imports."""
LEAST = 10
"""Least number of samples after the warm-up; a replaced process may have fewer."""
MEMORY, SHARE = 8.0, 0.1
"""Allowed growth of memory in the time counted: MiB, or a share of the memory at its start."""
DESCRIPTORS, THREADS = 8, 3
"""Allowed growth of descriptors and threads, since connections come and go."""
COLUMNS = (
    *("process", "pid", "MiB at first", "at the end", "MiB a minute"),
    *("descriptors", "at the end", "threads", "at the end"),
)


class Trend(msgspec.Struct, frozen=True):
    """The trend of one process after its warm-up."""

    name: str
    pid: int
    first: Sample
    last: Sample
    minutes: float
    slopes: tuple[float, float, float]
    """MiB, descriptors and threads per minute, by least squares."""

    @property
    def row(self) -> list[Cell]:
        """A line of the table."""
        first, last = self.first, self.last
        sizes = [first.pss / MEBIBYTE, last.pss / MEBIBYTE, self.slopes[0]]
        counts = [first.descriptors, last.descriptors, first.threads, last.threads]
        return [self.name, self.pid, *sizes, *counts]

    @property
    def growths(self) -> tuple[float, float, float]:
        """Growth in the time counted, as shares of what is allowed."""
        memory, descriptors, threads = (slope * self.minutes for slope in self.slopes)
        room = max(MEMORY, SHARE * self.first.pss / MEBIBYTE)
        return memory / room, descriptors / DESCRIPTORS, threads / THREADS


def trends(seen: Mapping[Key, Sequence[Sample]], seconds: float) -> list[Trend]:
    """Trends of all processes with enough samples; ``seconds``: length of the test."""
    counted = {key: [s for s in all_ if s.at >= WARM_UP * seconds] for key, all_ in seen.items()}
    return [_trend(key, samples) for key, samples in counted.items() if len(samples) >= LEAST]


def checks(found: Iterable[Trend]) -> list[Check]:
    """Checks that the greatest growth of each kind is within its bound."""
    kinds = "memory", "descriptors", "threads"
    shares = [*zip(*(trend.growths for trend in found), strict=True)] or [(0.0,)] * len(kinds)
    return [
        Check(f"growth of {kind}, share of what may be", max(of_kind), "at most", 1)
        for kind, of_kind in zip(kinds, shares, strict=True)
    ]


def _trend(key: Key, samples: list[Sample]) -> Trend:
    minutes = (samples[-1].at - samples[0].at) / 60
    slopes = (
        _slope(samples, lambda sample: sample.pss / MEBIBYTE),
        _slope(samples, lambda sample: sample.descriptors),
        _slope(samples, lambda sample: sample.threads),
    )
    return Trend(*key, samples[0], samples[-1], minutes, slopes)


def _slope(samples: list[Sample], what: Callable[[Sample], float]) -> float:
    return linear_regression([s.at / 60 for s in samples], [what(s) for s in samples]).slope
