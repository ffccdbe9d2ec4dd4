"""Compares the predictions of one outcome with what came true, as sums that can be added up."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from telemetry.errors import Detail, Invalid

BINS = 10
"""Equal parts of the probabilities, by which they are compared with how often they were right."""
LEAST = 1e-15
"""Smallest probability of which the logarithm is taken."""
GREATEST_NUMBER = 1e100
"""Greatest number that is compared: the square of no difference, nor a sum of many, is infinite."""
Sums = dict[str, float]


class Score(msgspec.Struct, frozen=True):
    """The amounts that one outcome adds to the sums of its version."""

    sums: Sums
    is_wrong: bool | None
    """Whether a label was wrong; None for predictions without labels."""


def score(
    method: str, predictions: Sequence[Any], truth: Any, classes: Sequence[Any] | None
) -> Score:
    """Compare predictions with the truth: one value for each row, null where it is not known.

    ``classes``: in the order of the probabilities; None if the version does not classify. Raises
    `Invalid`.
    """
    rows = truth if isinstance(truth, list) else [truth]
    if len(rows) != len(predictions):
        raise invalid(f"the prediction has {len(predictions)} rows, and the truth has {len(rows)}")
    known = [pair for pair in zip(predictions, rows, strict=True) if pair[1] is not None]
    if not known:
        raise invalid("at least one row must have a truth")
    if method == "predict_proba" and classes and _are_probabilities(known, classes):
        return _of_probabilities(known, list(classes))
    if method == "predict" and classes:
        return _of_labels(
            [(_checked(label, classes), _checked(true, classes)) for label, true in known]
        )
    if method == "predict" and all(_is_number(value) for pair in known for value in pair):
        return _of_numbers(known)
    raise invalid(f"predictions of the method {method!r} cannot be compared with this truth")


def _of_labels(known: Sequence[tuple[Any, Any]]) -> Score:
    right = sum(label == true for label, true in known)
    return Score({"rows": len(known), "labels": len(known), "right": right}, right < len(known))


def _of_numbers(known: Sequence[tuple[float, float]]) -> Score:
    errors = [abs(value - true) for value, true in known]
    squares = sum(error * error for error in errors)
    sums = {"rows": len(known), "numbers": len(known), "absolute": sum(errors), "squares": squares}
    return Score(sums, None)


def _of_probabilities(known: Sequence[tuple[Any, Any]], classes: list[Any]) -> Score:
    sums: Counter[str] = Counter()
    labels = []
    for probabilities, true in known:
        likeliest = max(range(len(classes)), key=probabilities.__getitem__)
        own = probabilities[classes.index(_checked(true, classes))]
        is_right = classes[likeliest] == true
        labels.append((classes[likeliest], true))
        part = min(int(probabilities[likeliest] * BINS), BINS - 1)
        sums.update({"log_loss": -math.log(max(own, LEAST)), "probabilities": 1})
        sums.update(
            {f"bin{part}": 1, f"sum{part}": probabilities[likeliest], f"hit{part}": is_right}
        )
    found = _of_labels(labels)
    return Score({**found.sums, **sums}, found.is_wrong)


def _are_probabilities(known: Sequence[tuple[Any, Any]], classes: Sequence[Any]) -> bool:
    """Whether each row has a number for each class; a model may also give what is none."""
    rows = [row for row, _ in known]
    return all(
        isinstance(row, list) and len(row) == len(classes) and all(map(_is_number, row))
        for row in rows
    )


def _checked(value: Any, classes: Sequence[Any]) -> Any:
    if value not in classes:
        known = ", ".join(map(str, classes[:20]))
        raise invalid(f"{str(value)[:100]!r} is not one of the classes: {known}")
    return value


def _is_number(value: Any) -> bool:
    # Comparing is exact for a whole number of any size, and false for "not a number".
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= GREATEST_NUMBER


def invalid(message: str) -> Invalid:
    """The error of a truth that cannot be compared."""
    return Invalid(message, errors=[Detail(("label",), message)])
