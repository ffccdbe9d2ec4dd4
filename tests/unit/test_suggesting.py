"""Who misspells a name is offered the nearest, without waiting for it."""

import pytest

from registry.suggesting import LOOKED_AT, did_you_mean

NAMES = ["breast-cancer", "diabetes", "iris"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("irs", "did you mean 'iris'?"),
        ("IRIS", "did you mean 'iris'?"),
        ("breast_cancer", "did you mean 'breast-cancer'?"),
        ("nobody", ""),
        ("", ""),
        ("iris" * 1000, ""),
    ],
)
def test_the_nearest_is_offered(written: str, told: str) -> None:
    assert did_you_mean(written, NAMES) == told


def test_three_at_most_of_many() -> None:
    names = [f"churn-{number}" for number in range(2 * LOOKED_AT)]
    assert did_you_mean("churn", names).count("'churn-") == 3
