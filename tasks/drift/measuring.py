"""Measures drift: how far counts are from those of the sample, and how far chance alone gets.

The population stability index (PSI) is compared with what it reaches by chance with so many rows:
with few of them it is great without any drift.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import log
from statistics import NormalDist

import msgspec

JUDGED_ROWS = 500
"""Rows that are needed to tell drift from chance."""
MIN_PSI = 0.1
"""Drift that is too small to matter, however certain it is."""
WRONG = 0.001
"""About the chance that any feature of a version is called drifted at one look, without drift."""
_SMOOTHING = 0.5
"""Added to each count, as a bucket without rows has no logarithm."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The drift of one feature."""

    psi: float
    """Population stability index."""
    bound: float
    """What `psi` must exceed; greater while there are few rows."""
    distance: float | None
    """The greatest difference of the cumulative shares (Kolmogorov and Smirnov's distance); null
    for features without an order."""

    @property
    def is_beyond(self) -> bool:
        """Whether chance does not explain it."""
        return self.psi > self.bound


def measured(
    expected: Sequence[int], found: Sequence[int], features: int, *, is_ordered: bool
) -> Measured:
    """Compare the counts of one feature with those of the sample.

    ``features``: how many are looked at together. The first count is of missing values.
    """
    pairs = [pair for pair in zip(expected, found, strict=True) if any(pair)]
    rows, known = sum(found), sum(expected)
    chance = chi_square(len(pairs) - 1, WRONG / max(features, 1)) if len(pairs) > 1 else 0.0
    return Measured(
        psi=_psi(pairs),
        bound=max(MIN_PSI, (1 / max(rows, 1) + 1 / max(known, 1)) * chance),
        distance=_distance(expected[1:], found[1:]) if is_ordered else None,
    )


def chi_square(freedom: int, chance: float) -> float:
    """The value that chi-square exceeds with this chance; by Wilson and Hilferty, within 10 %."""
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + NormalDist().inv_cdf(1 - chance) * part**0.5) ** 3)


def _psi(pairs: Sequence[tuple[int, int]]) -> float:
    if not pairs:
        return 0.0
    expected, found = map(_shares, zip(*pairs, strict=True))
    return sum((q - p) * log(q / p) for p, q in zip(expected, found, strict=True))


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) + _SMOOTHING * len(counts)
    return [(count + _SMOOTHING) / total for count in counts]


def _distance(expected: Sequence[int], found: Sequence[int]) -> float:
    known, rows = max(sum(expected), 1), max(sum(found), 1)
    pairs = zip(accumulate(expected), accumulate(found), strict=True)
    return max((abs(e / known - f / rows) for e, f in pairs), default=0.0)
