"""What a comparison of a shadow proves, and how it is always valid."""

import pytest

from tasks.shadows.shadows import Compared
from tasks.shadows.verdict import agreement


@pytest.mark.parametrize(
    ("rows", "disagreed", "decision"),
    [
        (0, 0, "inconclusive"),
        (343, 0, "inconclusive"),
        (344, 0, "agrees"),
        (344, 3, "inconclusive"),
        (14, 1, "inconclusive"),
        (20, 10, "differs"),
    ],
)
def test_agreement_needs_proof(rows: int, disagreed: int, decision: str) -> None:
    assert agreement(Compared(rows=rows, disagreed=disagreed)).decision == decision
