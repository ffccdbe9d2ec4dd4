"""Simulated looks at a version, measured by the code that measures real ones."""

from collections.abc import Callable, Iterator

import numpy as np

from registry.baseline import BaselineFeature
from registry.manifest import Column
from tasks.drift.measuring import measured
from workers.drift.counting import counts_of
from workers.drift.describing import described_feature

FEATURES = 20
PSI_RULE = 0.2
"""The common rule of thumb: alarm where the index is above this."""
Values = np.ndarray
Draw = Callable[[np.random.Generator, int], Values]


def normal(moved: float = 0.0) -> Draw:
    """Values of a normal distribution that has moved by so many standard deviations."""
    return lambda random, rows: random.normal(moved, 1, rows)


def skewed(random: np.random.Generator, rows: int) -> Values:
    """Amounts, a tenth of which are missing."""
    values = random.lognormal(0, 1, rows)
    values[random.random(rows) < 0.1] = np.nan
    return values


def rare(random: np.random.Generator, rows: int) -> Values:
    """Mostly zero, and one in a thousand times something else."""
    return np.where(random.random(rows) < 0.001, random.integers(1, 9, rows), 0.0)


def towns(random: np.random.Generator, rows: int) -> Values:
    """Texts, a few of which are frequent."""
    return np.array([f"town {n}" for n in random.zipf(1.8, rows)], dtype=object)


def looks(
    draw: Draw, later: Draw, sample: int, rows: int, runs: int, seed: int
) -> tuple[float, float]:
    """Shares of looks that call any of `FEATURES` drifted: by our bound, by `PSI_RULE`."""
    random = np.random.default_rng(seed)
    found = [[*_psi_and_bound(draw, later, sample, rows, random)] for _ in range(runs)]
    ours = sum(any(psi > bound for psi, bound in look) for look in found)
    theirs = sum(any(psi > PSI_RULE for psi, _ in look) for look in found)
    return ours / runs, theirs / runs


def _psi_and_bound(
    draw: Draw, later: Draw, sample: int, rows: int, random: np.random.Generator
) -> Iterator[tuple[float, float]]:
    for _ in range(FEATURES):
        known = draw(random, sample)
        column = Column("x", "number" if known.dtype.kind == "f" else "string")
        feature: BaselineFeature = described_feature("column", column, known)
        counts = counts_of(feature, column, [later(random, rows)])
        result = measured(feature.counts, counts.tolist(), FEATURES, is_ordered=feature.is_ordered)
        yield result.psi, result.bound
