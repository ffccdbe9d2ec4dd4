"""Turns rows from the wire into what a model takes, and its answer back into rows."""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Column, Signature
from tasks.wire import encode

_NUMPY = {"number": np.dtype(np.float64)}
_OBJECT = np.dtype(object)

Input = Any
"""An `ndarray` or a `DataFrame`."""


def to_input(signature: Signature, rows: list[list[Any]]) -> Input:
    """Make a model's input of shape (rows, columns), or (rows,) for a flat signature.

    A data frame where the model was fitted on one, else an array: of float64, or of objects where
    a column takes more than numbers. None becomes NaN in numbers and stays None elsewhere.
    """
    if signature.frame and not _all_numbers(signature):
        columns = zip(signature.columns, zip(*rows, strict=True), strict=True)
        return pd.DataFrame({column.name: _series(column, values) for column, values in columns})
    array = np.array(rows, dtype=np.float64 if _all_numbers(signature) else _OBJECT)
    if signature.frame:
        return pd.DataFrame(array, columns=[column.name for column in signature.columns])
    return array[:, 0] if signature.flat else array


def to_wire(output: Any) -> list[Any]:
    """Make one JSON-able entry a row; a number that is not finite becomes None.

    Several columns give a list a row; a list of arrays, one an output, gives a list of lists.
    Raises `TypeError` or `ValueError` for what is no JSON.
    """
    if isinstance(output, list) and output and isinstance(output[0], np.ndarray):
        return [list(row) for row in zip(*map(to_wire, output), strict=True)]
    array = np.asarray(output.toarray() if hasattr(output, "toarray") else output)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        array = np.where(np.isfinite(array), array.astype(object), np.array(None))
    rows: list[Any] = array.tolist()
    if array.dtype.kind not in "biuf":
        rows = _plain(rows)
        encode(rows)  # what JSON has no word for raises here, where its own caller is told
    return rows


@lru_cache(maxsize=4096)
def _all_numbers(signature: Signature) -> bool:
    return all(column.type == "number" for column in signature.columns)


def _series(column: Column, values: tuple[Any, ...]) -> pd.Series:
    return pd.Series(list(values), dtype=_NUMPY.get(column.type, _OBJECT))


def _plain(value: Any) -> Any:
    """Free a label of numpy's own types, which an array of objects may hold."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value
