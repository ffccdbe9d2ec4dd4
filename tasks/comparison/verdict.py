"""The verdict on a candidate: promote it, roll it back, or keep comparing."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from tasks.comparison.evidence import evidence_above, evidence_below, evidence_of_harm
from tasks.comparison.figures import ArmFigures, Figures, call_percentile

RolloutDecision = Literal["promote", "roll_back", "inconclusive"]
WRONG_ROLL_BACKS = 0.01
"""The chance of rolling a candidate back that is as good as the stable version, however long it is
compared; shared by the measures."""
WRONG_PROMOTIONS = 0.05
"""The chance of promoting a candidate that is above a limit."""
ENOUGH_CALLS = 200
"""Calls of the stable version after which the bound of slow calls is set."""
SLOWER = 2
"""Buckets, each a quarter wider than the last, above that of the 95th percentile: 1.5 times."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions of a split, and what a promotion needs."""

    stable: int
    version: int
    """The candidate."""
    share: int
    """Percent that the candidate has now."""
    requests: int
    """Predictions of the candidate, at this share, that a promotion needs."""
    max_failed: float | None = None
    """Percent of the candidate's predictions that may fail; None without such a limit."""


def compared(rollout: Any) -> Comparison:
    """The comparison of an object that has these attributes: a rollout of the registry."""
    return msgspec.convert(rollout, Comparison, from_attributes=True)


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of two versions, and its evidence."""

    name: Literal["errors", "slow", "wrong", "failed"]
    """Errors, slow calls and wrong labels beside the stable version; failures beside the limit."""
    stable: tuple[int, int] | None
    """Bad events, of how many; null where the stable version does not matter."""
    candidate: tuple[int, int]
    evidence: float
    """Evidence of harm: at `decisive`, the candidate is rolled back."""
    decisive: float


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on the candidate."""

    decision: RolloutDecision
    why: str
    missing: tuple[str, ...]
    """The conditions that a promotion still lacks, in words."""
    measures: tuple[Measure, ...]


def verdict(comparison: Comparison, figures: Figures, paused: str | None = None) -> Verdict:
    """Judge by what was counted. ``paused``: why the candidate was paused, if it was."""
    measures = tuple(_measures(comparison, figures))
    harmful = [each for each in measures if each.evidence >= each.decisive]
    missing = tuple(_missing(comparison, figures))
    told = "; ".join(map(_told, measures))
    decision: RolloutDecision
    if paused is not None:
        decision, why = "roll_back", f"the version was paused: {paused}"
    elif harmful:
        decision, why = "roll_back", "; ".join(map(_told, harmful))
    else:
        decision, why = ("inconclusive" if missing else "promote"), told
    return Verdict(decision=decision, why=why, missing=missing, measures=measures)


def slow_bound(comparison: Comparison, figures: Figures) -> int | None:
    """The bucket above which a call is slow from now on; None while it is set, or too early."""
    stable = figures.of(comparison.stable)
    if figures.slow_over is not None or sum(arm.calls for arm in stable) < ENOUGH_CALLS:
        return None
    bucket = call_percentile(stable, 0.95)
    return None if bucket is None else bucket + SLOWER


def _measures(comparison: Comparison, figures: Figures) -> list[Measure]:
    limits = comparison.max_failed is not None
    decisive = (2 + limits) / WRONG_ROLL_BACKS
    found = [_errors(comparison, figures, decisive)]
    if figures.slow_over is not None:
        found.append(_slow(comparison, figures, figures.slow_over, decisive))
    if any(arm.labelled for arm in figures.of(comparison.version)):
        found.append(_wrong(comparison, figures))
    if comparison.max_failed is not None:
        failed, answered = _failures(comparison, figures)
        above = evidence_above(comparison.max_failed / 100, failed, answered - failed)
        found.append(
            Measure(
                name="failed",
                stable=None,
                candidate=(failed, answered),
                evidence=above,
                decisive=decisive,
            )
        )
    return found


def _errors(comparison: Comparison, figures: Figures, decisive: float) -> Measure:
    """One event for each sticky key that met an error; the share says whose it would be."""
    pairs = _pairs(comparison, figures)
    return Measure(
        name="errors",
        stable=_total(pairs, 1, lambda arm: arm.errors, lambda arm: arm.answered),
        candidate=_total(pairs, 0, lambda arm: arm.errors, lambda arm: arm.answered),
        evidence=evidence_of_harm(
            (theirs.share / 100, theirs.errors, ours.errors) for theirs, ours in pairs
        ),
        decisive=decisive,
    )


def _slow(comparison: Comparison, figures: Figures, bound: int, decisive: float) -> Measure:
    """One event for each call, as one call answers many requests; the share is that of calls."""

    def slow(arm: ArmFigures) -> int:
        return max(arm.slow(bound) - arm.slow_before, 0)

    def calls(arm: ArmFigures) -> int:
        return max(arm.calls - arm.calls_before, 0)

    pairs = _pairs(comparison, figures)
    return Measure(
        name="slow",
        stable=_total(pairs, 1, slow, calls),
        candidate=_total(pairs, 0, slow, calls),
        evidence=evidence_of_harm(
            (calls(theirs) / max(calls(theirs) + calls(ours), 1), slow(theirs), slow(ours))
            for theirs, ours in pairs
        ),
        decisive=decisive,
    )


def _wrong(comparison: Comparison, figures: Figures) -> Measure:
    """As errors, of the predictions whose truth was told; with a chance of being wrong of its own.

    Truths may come long after the other measures were decisive, or not at all.
    """
    pairs = _pairs(comparison, figures)
    return Measure(
        name="wrong",
        stable=_total(pairs, 1, lambda arm: arm.wrong, lambda arm: arm.labelled),
        candidate=_total(pairs, 0, lambda arm: arm.wrong, lambda arm: arm.labelled),
        evidence=evidence_of_harm(
            (theirs.share / 100, theirs.wrong, ours.wrong) for theirs, ours in pairs
        ),
        decisive=1 / WRONG_ROLL_BACKS,
    )


def _pairs(comparison: Comparison, figures: Figures) -> list[tuple[ArmFigures, ArmFigures]]:
    """The candidate's figures and the stable version's, for each share of the candidate."""
    theirs = {arm.share: arm for arm in figures.of(comparison.version)}
    ours = {100 - arm.share: arm for arm in figures.of(comparison.stable)}
    return [
        (
            theirs.get(share) or _nothing(comparison.version, share),
            ours.get(share) or _nothing(comparison.stable, 100 - share),
        )
        for share in sorted({*theirs, *ours})
    ]


def _nothing(version: int, share: int) -> ArmFigures:
    return ArmFigures(version=version, share=share)


def _total(
    pairs: list[tuple[ArmFigures, ArmFigures]],
    which: int,
    bad: Callable[[ArmFigures], int],
    all_of: Callable[[ArmFigures], int],
) -> tuple[int, int]:
    arms = [pair[which] for pair in pairs]
    return sum(map(bad, arms)), sum(map(all_of, arms))


def _failures(comparison: Comparison, figures: Figures) -> tuple[int, int]:
    arms = figures.of(comparison.version)
    return sum(arm.failed for arm in arms), sum(arm.answered for arm in arms)


def _missing(comparison: Comparison, figures: Figures) -> list[str]:
    at_share = (a.answered for a in figures.of(comparison.version) if a.share == comparison.share)
    found, answered = [], sum(at_share)
    if answered < comparison.requests:
        found.append(
            f"{comparison.requests - answered} more predictions by version {comparison.version} "
            f"at {comparison.share} %"
        )
    if comparison.max_failed is not None:
        failed, of = _failures(comparison, figures)
        below = evidence_below(comparison.max_failed / 100, failed, of - failed)
        if below < 1 / WRONG_PROMOTIONS:
            found.append(
                f"proof that at most {comparison.max_failed:g} % fail: evidence {below:.3g}, "
                f"{1 / WRONG_PROMOTIONS:.0f} is needed"
            )
    return found


def _told(measure: Measure) -> str:
    bad, answered = measure.candidate
    beside = "" if measure.stable is None else ", beside {} of {}".format(*measure.stable)
    return (
        f"{measure.name} {bad} of {answered}{beside}, "
        f"evidence {measure.evidence:.3g} of {measure.decisive:.0f}"
    )
