"""Compares a model's answers with those that its sample has from elsewhere."""

import math
from typing import Any

import pandas as pd

from telemetry.errors import AnswersDiffer, Invalid
from workers.models.signature.own_answers import OwnAnswers

COLUMN = "prediction"
"""The column of a sample with the answers of the model that was saved."""
TOLERANCE = 1e-6
"""Relative difference of numbers, as files print them with fewer digits."""
NEXT_TO_ZERO = 1e-12
"""Absolute difference of numbers: terms that cancel leave a remainder of rounding."""


def split_expected(sample: pd.DataFrame, what: str) -> tuple[pd.DataFrame, list[Any]]:
    """A sample without its answers, and the answers; raises `Invalid` if it has none."""
    if COLUMN not in sample.columns:
        raise Invalid(
            f"{what}: the library that reads this format is wrong for some models, so the sample "
            f"needs a column {COLUMN!r} with the answers of the model that was saved"
        )
    return sample.drop(columns=COLUMN), sample[COLUMN].tolist()


def check_expected(own: OwnAnswers, expected: list[Any], what: str) -> None:
    """Raise `AnswersDiffer` for the first row whose answer is another than the expected one."""
    for index, (answer, wanted) in enumerate(zip(own.answers["predict"], expected, strict=True), 1):
        if not _agrees(answer, wanted):
            raise AnswersDiffer(
                f"{what}: row {index} of the sample gets {answer}, and its column {COLUMN!r} has "
                f"{wanted}: the library that reads this file computes another model"
            )


def _agrees(answer: Any, wanted: Any) -> bool:
    try:
        return math.isclose(float(answer), float(wanted), rel_tol=TOLERANCE, abs_tol=NEXT_TO_ZERO)
    except (TypeError, ValueError):
        return str(answer) == str(wanted)
