"""What a model's method gave: made an entry a row, and turned into what JSON can say."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tasks.wire import encode
from telemetry.errors import ModelError
from workers.models.tabular.columns import Array, objects

Output = Array | list[Array]
"""An array with an entry a row, or a list of such, one an output."""
DENSE = 2**24
"""Values that a sparse answer may have once it is dense."""


def shaped(output: Any, rows: int) -> Output:
    """Make what a method gave for so many rows an `Output`.

    A tuple, or a list of arrays, has an entry for each output, as of ``kneighbors`` or of a
    classifier with several targets. Raises `ModelError` for anything that has not one entry a row.
    """
    if _is_several(output, rows):
        return [_single(each, rows) for each in output]
    return _single(output, rows)


def to_wire(output: Output) -> list[Any]:
    """Make one JSON-able entry a row; a number that is not finite becomes None.

    Several columns give a list a row; several outputs give a list of lists. Raises `TypeError` or
    `ValueError` for what is no JSON.
    """
    if isinstance(output, list):
        return [list(row) for row in zip(*map(to_wire, output), strict=True)]
    array = _nameable(output)
    rows: list[Any] = array.tolist()
    if array.dtype.kind not in "biuf":
        rows = _plain(rows)
        encode(rows)  # what JSON has no word for raises here, where its own caller is told
    return rows


def joined(outputs: Sequence[Output]) -> Output:
    """Outputs for consecutive rows as one."""
    if isinstance(outputs[0], list):
        return [np.concatenate(pieces) for pieces in zip(*outputs, strict=True)]
    return np.concatenate(outputs)


def in_order(outputs: Sequence[Output], positions: Sequence[Array]) -> Output:
    """Outputs for rows at these positions as one, of all rows."""
    together, order = joined(outputs), np.argsort(np.concatenate(positions), kind="stable")
    return [each[order] for each in together] if isinstance(together, list) else together[order]


def _is_several(output: Any, rows: int) -> bool:
    """Whether it has an entry for each output, rather than for each row.

    A list of as many arrays as there are rows may be either; rows are never tables themselves.
    """
    if not isinstance(output, list | tuple) or not output:
        return False
    if not all(isinstance(each, np.ndarray) or hasattr(each, "toarray") for each in output):
        return False
    if isinstance(output, tuple) or len(output) != rows:
        return True
    return all(len(each.shape) > 1 and each.shape[0] == rows for each in output)


def _single(output: Any, rows: int) -> Array:
    array = _array(output)
    if not array.ndim:
        raise ModelError(f"the model gave {_told(output)}, expected one prediction a row")
    if len(array) != rows:
        raise ModelError(f"the model gave {len(array)} predictions for {rows} rows")
    return array


def _array(output: Any) -> Array:
    if hasattr(output, "toarray"):
        return _dense(output)
    if hasattr(output, "to_numpy"):  # a data frame, where a model was told to give some
        return output.to_numpy()
    try:
        return np.asarray(output)
    except ValueError:  # rows of different lengths
        return objects(list(output))


def _dense(output: Any) -> Array:
    size = int(np.prod(output.shape))
    if size > DENSE:
        raise ModelError(
            f"the model gave a sparse answer of {size:,} values; at most {DENSE:,} are sent: "
            "ask for fewer rows"
        )
    return output.toarray()


def _told(output: Any) -> str:
    return "None" if output is None else f"a value of type {type(output).__name__}"


def _nameable(array: Array) -> Array:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return np.where(np.isfinite(array), array.astype(object), np.array(None))
    if array.dtype.kind in "mM":  # in nanoseconds they would be numbers
        return array.astype(f"{array.dtype.kind}8[us]")
    return array


def _plain(value: Any) -> Any:
    """Free an array of objects of NumPy's own types, and of what is missing or not finite."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return to_wire(value)
    value = value.item() if isinstance(value, np.generic) else value
    infinite = isinstance(value, float) and not math.isfinite(value)
    return None if infinite or value is pd.NA or value is pd.NaT else value
