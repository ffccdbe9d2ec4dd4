"""The evidence is that of its formulas, and seldom great where nothing is wrong."""

import math

import pytest

from benchmarks.verdicts.simulating import ABOVE, BELOW, limited, split, sticky
from tasks.comparison.evidence import RATIOS, evidence_above, evidence_below, evidence_of_harm


def test_evidence_of_harm_is_the_mean_of_the_likelihood_ratios() -> None:
    share, theirs, ours = 0.1, 3, 5
    thetas = [share * ratio / (share * ratio + 1 - share) for ratio in RATIOS]
    products = [(t / share) ** theirs * ((1 - t) / (1 - share)) ** ours for t in thetas]
    assert evidence_of_harm([(share, theirs, ours)]) == pytest.approx(sum(products) / len(RATIOS))


def test_evidence_is_multiplied_over_the_steps_of_a_rollout() -> None:
    split_in_two = evidence_of_harm([(0.1, 1, 2), (0.1, 2, 3)])
    assert split_in_two == pytest.approx(evidence_of_harm([(0.1, 3, 5)]))
    assert evidence_of_harm([(0.1, 3, 5), (1.0, 9, 0), (0.0, 0, 9)]) == pytest.approx(split_in_two)


@pytest.mark.parametrize("evidence", [evidence_above, evidence_below])
def test_evidence_beside_a_limit_is_one_before_the_first_event(evidence) -> None:
    assert evidence(0.01, 0, 0) == evidence_of_harm([]) == 1.0


def test_evidence_below_a_limit_is_that_of_the_table() -> None:
    needed = next(n for n in range(1000) if evidence_below(0.01, 0, n) >= 20)
    assert needed == 344


def test_evidence_stays_finite() -> None:
    for found in (evidence_of_harm([(0.5, 10**6, 0)]), evidence_above(0.01, 10**6, 0)):
        assert math.isfinite(found)
        assert found > 1e300
    assert 0 <= evidence_below(0.01, 10**6, 0) < 1e-300


@pytest.mark.unmeasured
def test_simulated_rollouts_are_judged_as_the_table_says() -> None:
    """Fewer runs than in `benchmarks/verdicts`, which has the whole table."""
    assert split(0.005, 100, 200.0, seed=1).decided <= 0.03
    found = split(0.2, 50, 200.0, seed=1)
    assert (found.decided, found.after < 30) == (1.0, True)
    assert sticky(50, 200.0, seed=1, once=True).decided <= 0.04
    assert limited(0.0, 3, BELOW, 20.0, seed=1) == (1.0, 344.0)
    assert limited(0.2, 20, ABOVE, 100.0, seed=1).decided == 1.0
