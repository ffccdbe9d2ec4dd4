"""Error thresholds, as a number and as a share."""

import pytest

from workers.jobs.validation.validating import max_failures


@pytest.mark.parametrize(
    ("threshold", "most"),
    [
        (None, None),
        (0, 0),
        (0.0, 0),
        (0.5, 50),
        (0.29, 29),
        (0.009, 0),
        (1, 1),
        (1.0, 1),
        (10.0, 10),
        (1e300, 100),
    ],
)
def test_error_threshold_below_1_is_a_share(threshold: float | None, most: int | None) -> None:
    assert max_failures(threshold, 100) == most
