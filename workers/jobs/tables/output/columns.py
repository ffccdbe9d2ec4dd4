"""Columns of the output: the model's answers, beside columns copied from the input."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from registry.manifest import Signature
from telemetry.errors import InvalidInput, ModelError
from workers.jobs.tables.spans import Block
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
            for index, output in enumerate(answer):
                found.update(_named(f"{name}_{index}", output, None))
        else:
            classes = signature.classes if method in _LABELLED else None
            found.update(_named(name, answer, classes))
    return found


def empty_columns(names: Sequence[str]) -> dict[str, pa.Array]:
    """Prediction columns with no rows, for a block without answers."""
    return {name: pa.nulls(0) for name in names}


def output(
    block: Block, answered: Sequence[int] | Array, columns: Mapping[str, pa.Array]
) -> pa.Table:
    """The columns copied from the input, and the predictions beside them.

    There is one row for each row of the block. ``answered`` are the positions of the rows that
    ``columns`` hold, in order; other rows have nulls. Raises `InvalidInput` if input and
    predictions have a column of the same name.
    """
    if len(answered) < block.rows:
        takes = _takes(block.rows, answered)
        columns = {name: values.take(takes) for name, values in columns.items()}
    carried = block.carried if block.carried is not None else pa.table({})
    _refuse_clash(carried.column_names, list(columns))
    names = [*carried.column_names, *columns]
    return pa.table([*carried.columns, *columns.values()], names=names)


def _refuse_clash(carried: Sequence[str], columns: Sequence[str]) -> None:
    """Raise `InvalidInput` if input and predictions have a column of the same name."""
    both = [name for name in columns if name in carried]
    if both:
        raise InvalidInput(f"the input has a column {both[0]!r} of its own; rename it")


def _takes(rows: int, answered: Sequence[int] | Array) -> pa.Array:
    """For each row its index among the answered ones, or null."""
    indexes = np.full(rows, -1)
    indexes[np.asarray(answered, np.int64)] = np.arange(len(answered))
    return pa.array(indexes, mask=indexes < 0)


def _named(name: str, array: Array, classes: Sequence[Any] | None) -> dict[str, pa.Array]:
    if array.ndim == 1:
        return {name: _arrow(array)}
    array = array.reshape(len(array), -1)
    # A column that stands for a class keeps its label, even if it is the only one.
    if array.shape[1] == 1 and not classes:
        return {name: _arrow(array[:, 0])}
    fitting = classes is not None and len(classes) == array.shape[1]
    labels = classes if fitting else range(array.shape[1])
    return {f"{name}_{label}": _arrow(array[:, index]) for index, label in enumerate(labels or ())}


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
