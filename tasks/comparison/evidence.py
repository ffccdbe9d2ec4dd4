"""Always-valid evidence: the error rate holds even if the evidence is checked after every event.

Each number here is a product of likelihood ratios, averaged over alternatives. If nothing is wrong,
the chance that it ever reaches 100 is at most 1 % (Ville's inequality), however often it is
checked. Only bad events count, and to which of the two versions each belongs.
"""

import math
from collections.abc import Iterable, Sequence

RATIOS = (1.5, 2, 3, 5, 10, 30, 100)
"""How many times as often the candidate may have bad events as the stable version."""
WORSE = (1.5, 2, 4, 10, 30)
"""Multiples of a limit, as alternatives that are above it."""
BETTER = (0.0, 0.05, 0.1, 0.25, 0.5)
"""Parts of a limit, as alternatives that are below it."""
MOST = 700.0
"""Greatest logarithm of which `math.exp` gives a float."""
Events = tuple[float, int, int]
"""The candidate's share of the requests, from 0 to 1, its bad events, and the stable version's."""


def evidence_of_harm(events: Iterable[Events]) -> float:
    """Evidence that the candidate has bad events more often than the stable version.

    Each entry is of one share; while both are equally bad, an event is the candidate's with a
    probability of its share. Shares of 0 or 1 say nothing.
    """
    known = [(share, theirs, ours) for share, theirs, ours in events if 0 < share < 1]
    return _mean([sum(_log_ratio(ratio, *each) for each in known) for ratio in RATIOS])


def _log_ratio(ratio: float, share: float, candidate: int, stable: int) -> float:
    theta = share * ratio / (share * ratio + 1 - share)
    return candidate * math.log(theta / share) + stable * math.log((1 - theta) / (1 - share))


def evidence_above(limit: float, bad: int, good: int) -> float:
    """Evidence that more than a share of ``limit`` of the events is bad."""
    return _against(limit, [min(limit * factor, 0.999) for factor in WORSE], bad, good)


def evidence_below(limit: float, bad: int, good: int) -> float:
    """Evidence that less than a share of ``limit`` of the events is bad."""
    return _against(limit, [limit * factor for factor in BETTER], bad, good)


def _against(limit: float, shares: Sequence[float], bad: int, good: int) -> float:
    return _mean([_times(bad, q / limit) + _times(good, (1 - q) / (1 - limit)) for q in shares])


def _times(many: int, ratio: float) -> float:
    """The logarithm of a ratio to a power; that of 0 is minus infinity, but to the power 0."""
    if not many:
        return 0.0
    return many * math.log(ratio) if ratio else -math.inf


def _mean(logarithms: Sequence[float]) -> float:
    """The mean of the numbers with these logarithms; those too great for a float are cut off."""
    return sum(math.exp(min(each, MOST)) for each in logarithms) / len(logarithms)
