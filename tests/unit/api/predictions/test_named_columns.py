"""Predictions of any shape as columns."""

from typing import Any

import pytest

from api.predictions.named_columns import named_columns
from registry.manifest import Column, Signature

SIGNATURE = Signature((Column("a"),), True, True, ("predict",), classes=("no", "yes"))


@pytest.mark.parametrize(
    ("method", "rows", "columns"),
    [
        ("predict", [1, 2], {"prediction": [1, 2]}),
        ("predict", ["a", None], {"prediction": ["a", None]}),
        ("predict", [[1, 2], [3, 4]], {"prediction_0": (1, 3), "prediction_1": (2, 4)}),
        ("predict", [[1], [2]], {"prediction": (1, 2)}),
        ("predict_proba", [[0.1, 0.9]], {"probability_no": (0.1,), "probability_yes": (0.9,)}),
        (
            "predict_proba",
            [[0.1, 0.2, 0.7]],
            {"probability_0": (0.1,), "probability_1": (0.2,), "probability_2": (0.7,)},
        ),
        (
            "predict_proba",
            [[[0.1, 0.9], [1.0]], [[0.2, 0.8], [1.0]]],
            {
                "probability_0_0": (0.1, 0.2),
                "probability_0_1": (0.9, 0.8),
                "probability_1": (1.0, 1.0),
            },
        ),
        ("decision_function", [0.5], {"decision": [0.5]}),
        ("transform", [[1.0, 2.0]], {"transform_0": (1.0,), "transform_1": (2.0,)}),
        ("transform", [[1.0], [1.0, 2.0]], {"transform": [[1.0], [1.0, 2.0]]}),
        ("transform", [[1.0], None], {"transform": [[1.0], None]}),
        ("predict", [], {"prediction": []}),
    ],
)
def test_rows_become_columns(method: str, rows: list[Any], columns: dict[str, Any]) -> None:
    assert named_columns(SIGNATURE, method, rows) == columns


def test_version_that_was_removed_has_numbers_for_classes() -> None:
    columns = named_columns(None, "predict_proba", [[0.1, 0.9]])
    assert columns == {"probability_0": (0.1,), "probability_1": (0.9,)}
