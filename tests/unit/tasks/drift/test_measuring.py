"""The index, and how far chance gets."""

import numpy as np
import pytest
from scipy.stats import chi2

from tasks.drift.measuring import MIN_PSI, WRONG, chi_square, measured

EVEN = (0, 100, 100, 100, 100)


@pytest.mark.parametrize("freedom", [1, 2, 5, 11, 21])
@pytest.mark.parametrize("chance", [0.05, 0.001, 0.00005])
def test_chi_square_is_close(freedom: int, chance: float) -> None:
    assert chi_square(freedom, chance) == pytest.approx(chi2.isf(chance, freedom), rel=0.1)


def test_equal_shares_have_no_drift() -> None:
    found = measured(EVEN, (0, 1000, 1000, 1000, 1000), 1, is_ordered=True)
    assert (found.psi, found.distance) == (pytest.approx(0, abs=1e-6), 0)
    assert found.bound == MIN_PSI
    assert not found.is_beyond


def test_moved_values_drift() -> None:
    found = measured(EVEN, (0, 0, 0, 500, 500), 1, is_ordered=True)
    assert found.is_beyond
    assert found.distance == pytest.approx(0.5)


def test_new_missing_values_drift() -> None:
    assert measured(EVEN, (300, 100, 100, 100, 100), 1, is_ordered=True).is_beyond
    assert measured((0, 100), (0, 100), 1, is_ordered=False).distance is None


def test_nothing_found_has_no_index() -> None:
    assert measured((0, 0), (0, 0), 1, is_ordered=True).psi == 0


def test_bound_is_wide_for_few_rows() -> None:
    few, many = (measured(EVEN, [0, *[n] * 4], 20, is_ordered=True).bound for n in (10, 1000))
    assert few > 2 * many


@pytest.mark.parametrize("sample", [100, 1000])
def test_chance_is_seldom_called_drift(sample: int) -> None:
    """Of 20 features in 200 looks at 500 rows: about 0.2 would be expected at most."""
    random = np.random.default_rng(3)
    shares = np.full(10, 0.1)
    wrong = sum(
        measured(
            (0, *random.multinomial(sample, shares)),
            (0, *random.multinomial(500, shares)),
            20,
            is_ordered=True,
        ).is_beyond
        for _ in range(200 * 20)
    )
    assert wrong <= 200 * WRONG * 10
