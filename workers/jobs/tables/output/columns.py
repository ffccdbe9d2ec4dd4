"""Converts the answers of a model's methods to columns of the output."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from registry.manifest import Signature
from telemetry.errors import ModelError
from workers.models.tabular.columns import Array
from workers.models.tabular.outputs import Output

_NAMES = {"predict": "prediction", "predict_proba": "probability", "decision_function": "decision"}
_LABELLED = (
    *("predict_proba", "predict_log_proba", "predict_joint_log_proba", "decision_function"),
)
"""Methods that return a column per class."""


def columns(signature: Signature, answers: Mapping[str, Output]) -> dict[str, pa.Array]:
    """Name → values: ``prediction``, ``probability_<class>``, ``decision``.

    Several outputs are numbered: ``prediction_0``, ``probability_0_0``.
    """
    found: dict[str, pa.Array] = {}
    for method, answer in answers.items():
        name = _NAMES.get(method, method)
        if isinstance(answer, list):
            for place, output in enumerate(answer):
                found.update(_named(f"{name}_{place}", output, None))
        else:
            classes = signature.classes if method in _LABELLED else None
            found.update(_named(name, answer, classes))
    return found


def empty_columns(names: Sequence[str]) -> dict[str, pa.Array]:
    """Prediction columns with no rows, for a block without answers."""
    return {name: pa.nulls(0) for name in names}


def _named(name: str, array: Array, classes: Sequence[Any] | None) -> dict[str, pa.Array]:
    if array.ndim == 1:
        return {name: _arrow(array)}
    array = array.reshape(len(array), -1)
    if array.shape[1] == 1 and not classes:
        return {name: _arrow(array[:, 0])}
    fitting = classes is not None and len(classes) == array.shape[1]
    labels = classes if fitting else range(array.shape[1])
    return {f"{name}_{label}": _arrow(array[:, place]) for place, label in enumerate(labels or ())}


def _arrow(array: Any) -> pa.Array:
    try:
        return pa.array(array.tolist() if array.dtype == object else np.ascontiguousarray(array))
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
        pa.ArrowNotImplementedError,
        OverflowError,
    ) as error:
        raise ModelError(f"the model's answers do not fit into a column: {error}") from error
