"""Simulated rollouts, judged by the code that judges real ones."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tasks.comparison.evidence import evidence_above, evidence_below, evidence_of_harm

SHARE, REQUESTS, STABLE_ERRORS = 0.1, 20_000, 0.005
LIMIT = 0.01
CALLERS, FAILING_CALLERS = 1000, 0.02


class Outcome(NamedTuple):
    """What became of many simulated rollouts."""

    decided: float
    """The share of them that was decided."""
    after: float
    """Requests of the candidate until then, the median of those that were decided."""


def split(errors: float, runs: int, decisive: float, seed: int) -> Outcome:
    """Rollouts whose candidate fails with this probability; decided: rolled back."""
    random = np.random.default_rng(seed)
    return _outcome([_one_split(random, errors, decisive) for _ in range(runs)])


def _one_split(random: np.random.Generator, errors: float, decisive: float) -> int | None:
    """Requests of the candidate until the roll-back; None if there is none."""
    is_candidate = random.random(REQUESTS) < SHARE
    is_bad = random.random(REQUESTS) < np.where(is_candidate, errors, STABLE_ERRORS)
    theirs = ours = 0
    for at in np.flatnonzero(is_bad):
        theirs, ours = theirs + is_candidate[at], ours + (not is_candidate[at])
        if evidence_of_harm([(SHARE, int(theirs), int(ours))]) >= decisive:
            return int(is_candidate[: at + 1].sum())
    return None


def sticky(runs: int, decisive: float, seed: int, *, once: bool) -> Outcome:
    """Rollouts without a fault, at 10 and then 50 %, where a few callers always fail.

    ``once``: each caller's failures count once, as they do.
    """
    random = np.random.default_rng(seed)
    return _outcome([_one_sticky(random, decisive, once=once) for _ in range(runs)])


def _one_sticky(random: np.random.Generator, decisive: float, *, once: bool) -> int | None:
    places, weights = random.random(CALLERS), random.pareto(1.5, CALLERS)
    always = random.random(CALLERS) < FAILING_CALLERS
    callers = random.choice(CALLERS, REQUESTS, p=weights / weights.sum())
    shares = np.where(np.arange(REQUESTS) < REQUESTS // 2, SHARE, 0.5)
    events: dict[float, list[int]] = {SHARE: [0, 0], 0.5: [0, 0]}
    seen: set[int] = set()
    for at in np.flatnonzero(always[callers]):
        caller, share = int(callers[at]), float(shares[at])
        if once and caller in seen:
            continue
        seen.add(caller)
        events[share][int(places[caller] >= share)] += 1
        told = [(each, theirs, ours) for each, (theirs, ours) in events.items()]
        if evidence_of_harm(told) >= decisive:
            return int(at)
    return None


def limited(
    bad: float, runs: int, evidence: Callable[[float, int, int], float], decisive: float, seed: int
) -> Outcome:
    """Comparisons with a limit of 1 %, where rows are bad with this probability."""
    random = np.random.default_rng(seed)
    return _outcome([_one_limited(random, bad, evidence, decisive) for _ in range(runs)])


def _one_limited(
    random: np.random.Generator,
    bad: float,
    evidence: Callable[[float, int, int], float],
    decisive: float,
) -> int | None:
    many = 0
    for at, is_bad in enumerate(random.random(REQUESTS // 10) < bad, 1):
        many += int(is_bad)
        if evidence(LIMIT, many, at - many) >= decisive:
            return at
    return None


def _outcome(found: list[int | None]) -> Outcome:
    decided = [each for each in found if each is not None]
    median = float(np.median(decided)) if decided else float("nan")
    return Outcome(len(decided) / len(found), median)


ABOVE, BELOW = evidence_above, evidence_below
