"""Whether a shadow agrees with the versions that answer: as always-valid evidence."""

from typing import Literal

import msgspec

from tasks.comparison.evidence import evidence_above, evidence_below
from tasks.comparison.verdict import WRONG_PROMOTIONS, WRONG_ROLL_BACKS
from tasks.shadows.shadows import Compared

LIMIT = 0.01
"""The share of rows that may disagree."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a shadow."""

    decision: Literal["agrees", "differs", "inconclusive"]
    limit: float
    """The share of rows that may disagree."""
    for_it: float
    """Evidence that fewer disagree; the shadow agrees at 20."""
    against_it: float
    """Evidence that more disagree; the shadow differs at 100."""


def agreement(compared: Compared) -> Agreement:
    """Judge by what was compared; it may be asked after every row."""
    for_it = evidence_of_agreement(compared.rows, compared.disagreed)
    against_it = evidence_above(LIMIT, compared.disagreed, compared.rows - compared.disagreed)
    differs, agrees = against_it >= 1 / WRONG_ROLL_BACKS, for_it >= 1 / WRONG_PROMOTIONS
    return Agreement(
        decision="differs" if differs else "agrees" if agrees else "inconclusive",
        limit=LIMIT,
        for_it=for_it,
        against_it=against_it,
    )


def evidence_of_agreement(rows: int, disagreed: int) -> float:
    """Evidence that less than `LIMIT` of the rows disagree."""
    return evidence_below(LIMIT, disagreed, rows - disagreed)
