"""Finds the methods of a model that give one entry per row, by calling them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from workers.models.process_state.containing import contained
from workers.models.tabular.outputs import Output, first_row, to_output
from workers.models.tabular.table import Input

MODEL_METHODS = (
    *("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba"),
    *("decision_function", "score_samples", "transform", "kneighbors", "apply", "mahalanobis"),
)
"""Methods of scikit-learn's estimators, in the order in which a signature lists them."""
INVERSE = "inverse_transform"


def method_candidates(model: Any) -> list[str]:
    """The model's methods of `MODEL_METHODS`, then its other methods named ``predict_…``."""
    others = sorted(name for name in _names(model) if name.startswith("predict_"))
    return [name for name in dict.fromkeys((*MODEL_METHODS, *others)) if _has(model, name)]


def answering_methods(model: Any, given: Input, rows: int) -> dict[str, Output]:
    """Method → output, for each method that gives one entry per row of ``given``.

    Raises `MemoryError` if a method does.
    """
    return dict(_answers(model, given, rows))


def inverse_width(model: Any, answers: dict[str, Output]) -> int | None:
    """Width of a row that ``inverse_transform`` takes; None if the model has no such method."""
    transformed = answers.get("transform")
    if not isinstance(transformed, np.ndarray) or transformed.ndim != 2 or not _has(model, INVERSE):
        return None
    try:
        to_output(getattr(model, INVERSE)(transformed[:1]), 1)
    except Exception:  # noqa: BLE001 - a method that raises counts as absent
        return None
    return int(transformed.shape[1])


def answer_of(model: Any, name: str, given: Input, rows: int) -> Output:
    """What a method answers; raises what it raises, and unless each row has a JSON value."""
    output = _output(model, name, given, rows)
    if name not in MODEL_METHODS and rows > 1:
        # Else it may be a matrix with rows for times, by chance as many as there are rows.
        _output(model, name, given[:1], 1)
    return output


def _output(model: Any, name: str, given: Input, rows: int) -> Output:
    with contained():
        answer = getattr(model, name)(given)
    output = to_output(answer, rows)
    first_row(output)
    return output


def _names(model: Any) -> set[str]:
    """Names of its class, and those that the model adds, for instance of a model in it."""
    try:
        return {*dir(type(model)), *dir(model)}
    except Exception:  # noqa: BLE001 - a foreign class may raise anything
        return {*dir(type(model))}


def _has(model: Any, name: str) -> bool:
    try:
        return callable(getattr(model, name, None))
    except Exception:  # noqa: BLE001 - a property of a foreign class may raise anything
        return False


def _answers(model: Any, given: Input, rows: int) -> Iterator[tuple[str, Output]]:
    for name in method_candidates(model):
        try:
            yield name, answer_of(model, name, given, rows)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S112 - a method that raises does not answer these rows
            continue
