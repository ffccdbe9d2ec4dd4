"""Predictions are compared with what came true, by kind."""

import math

import pytest

from tasks.truths.scoring import score
from telemetry.errors import Invalid

CLASSES = ("no", "yes")


def test_labels_are_right_or_wrong() -> None:
    found = score("predict", ["yes", "no", "no"], ["yes", "yes", None], CLASSES)
    assert found.sums == {"rows": 2, "labels": 2, "right": 1}
    assert found.is_wrong
    assert score("predict", ["yes"], "yes", CLASSES).is_wrong is False


def test_numbers_have_errors() -> None:
    found = score("predict", [1.0, 5], [2, 2.0], None)
    assert found.sums == {"rows": 2, "numbers": 2, "absolute": 4.0, "squares": 10.0}
    assert found.is_wrong is None


def test_probabilities_have_log_loss_and_parts() -> None:
    found = score("predict_proba", [[0.75, 0.25], [0.0, 1.0]], ["yes", "yes"], CLASSES)
    assert found.is_wrong
    assert (found.sums["labels"], found.sums["right"]) == (2, 1)
    assert found.sums["log_loss"] == pytest.approx(-math.log(0.25))
    assert (found.sums["bin7"], found.sums["sum7"], found.sums["hit7"]) == (1, 0.75, 0)
    assert (found.sums["bin9"], found.sums["sum9"], found.sums["hit9"]) == (1, 1.0, 1)


def test_certainty_that_was_wrong_costs_a_finite_amount() -> None:
    found = score("predict_proba", [[1.0, 0.0]], ["yes"], CLASSES)
    assert found.sums["log_loss"] == pytest.approx(34.5, abs=0.1)


@pytest.mark.parametrize(
    ("method", "predictions", "truth", "classes", "told"),
    [
        ("predict", ["yes"], ["yes", "no"], CLASSES, "has 1 rows, and the truth has 2"),
        ("predict", ["yes"], "maybe", CLASSES, "'maybe' is not one of the classes: no, yes"),
        ("predict", ["yes"], [[]], CLASSES, "is not one of the classes"),
        ("predict", ["yes"], [None], CLASSES, "at least one row"),
        ("predict", [1.0], ["one"], None, "cannot be compared with this truth"),
        ("predict", [1.0], [True], None, "cannot be compared with this truth"),
        ("predict", [[1.0, 2.0]], [[1.0, 2.0]], None, "cannot be compared with this truth"),
        ("transform", [[1.0]], [1.0], None, "predictions of the method 'transform'"),
        ("predict", [1.0], [1e308], None, "cannot be compared with this truth"),
        ("predict", [1.0], [10**400], None, "cannot be compared with this truth"),
        ("predict", [1.0], [math.nan], None, "cannot be compared with this truth"),
        ("predict_proba", [[0.5, None]], ["yes"], CLASSES, "cannot be compared with this truth"),
        ("predict_proba", [[0.5]], ["yes"], CLASSES, "cannot be compared with this truth"),
    ],
)
def test_truths_that_cannot_be_compared_are_refused(
    method, predictions, truth, classes, told
) -> None:
    with pytest.raises(Invalid, match=told):
        score(method, predictions, truth, classes)
