"""Old releases get the NumPy that they were built for."""

import pytest

from workers.environments.numpy_bound import NUMPY_1, numpy_bounds
from workers.environments.requirements import Requirements


@pytest.mark.parametrize(
    ("wanted", "bounds"),
    [
        ("scikit-learn==1.2.2", [*NUMPY_1]),
        ("scikit_learn==1.2.*", [*NUMPY_1]),
        ("Scikit-Learn>=1.1,<1.4", [*NUMPY_1]),
        ("scikit-learn~=1.3.0", [*NUMPY_1]),
        ("numpy<2", [*NUMPY_1]),
        ("numpy==1.26.4", [*NUMPY_1]),
        ("numpy>=1.26", []),
        ("numpy==2.1.0", []),
        ("scikit-learn==1.4.2", []),
        ("scikit-learn==1.5.2", []),
        ("scikit-learn>=1.2", []),
        ("scikit-learn", []),
        ("scikit-learn!=1.2.0", []),
        ("tinyscale==1.0", []),
    ],
)
def test_releases_from_before_numpy_2_have_a_bound(wanted, bounds):
    assert numpy_bounds(Requirements((wanted,))) == bounds
