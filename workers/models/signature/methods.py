"""Which methods of a model map rows to rows, found by calling them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from workers.models.tabular.outputs import Output, shaped, to_wire
from workers.models.tabular.table import Input

MODEL_METHODS = (
    *("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba"),
    *("decision_function", "score_samples", "transform", "kneighbors", "apply", "mahalanobis"),
)
"""Those of scikit-learn's estimators, in the order in which they are listed."""
INVERSE = "inverse_transform"


def candidates(model: Any) -> list[str]:
    """What the model has of `MODEL_METHODS`, and what else it has that is called ``predict_…``."""
    own = sorted(name for name in dir(type(model)) if name.startswith("predict_"))
    return [name for name in dict.fromkeys((*MODEL_METHODS, *own)) if _has(model, name)]


def answering(model: Any, given: Input, rows: int) -> dict[str, Output]:
    """The methods that answer these rows, an entry each, with what they answer."""
    return dict(_answers(model, given, rows))


def inverse_width(model: Any, answers: dict[str, Output]) -> int | None:
    """Numbers in a row that ``inverse_transform`` takes; None where the model has none."""
    transformed = answers.get("transform")
    if not isinstance(transformed, np.ndarray) or transformed.ndim != 2 or not _has(model, INVERSE):
        return None
    try:
        shaped(getattr(model, INVERSE)(transformed[:1]), 1)
    except Exception:  # noqa: BLE001 - whatever it raises, it is no such method
        return None
    return int(transformed.shape[1])


def _has(model: Any, name: str) -> bool:
    try:
        return callable(getattr(model, name, None))
    except Exception:  # noqa: BLE001 - a property of somebody's class may raise anything
        return False


def _answers(model: Any, given: Input, rows: int) -> Iterator[tuple[str, Output]]:
    for name in candidates(model):
        try:
            output = shaped(getattr(model, name)(given), rows)
            to_wire([each[:1] for each in output] if isinstance(output, list) else output[:1])
            yield name, output
        except Exception:  # noqa: BLE001, S112 - whatever a model raises, it does not answer so
            continue
