"""Turns Arrow columns into what a model takes, and finds the rows that it does not take."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from registry.diagnosis import fault, is_missing
from registry.manifest import Column, Signature

Array = np.ndarray[Any, Any]
Faults = dict[int, str]
"""Position of a row → what is wrong with it."""


class Features(msgspec.Struct, frozen=True):
    """What came of a block's columns."""

    input: Any
    """Good rows as the model takes them; the same as `workers.tabular.to_input` makes."""
    good: Array
    """Their positions among all rows."""
    faults: Faults


def gather(signature: Signature, columns: Sequence[Any], known: Faults | None = None) -> Features:
    """Make the input of columns in the signature's order, without the rows known to be bad.

    A column is Arrow's, or an array of objects where types may differ.
    """
    values = _values(signature, columns)
    faults = {**_faults(signature, values), **(known or {})}
    good = np.ones(len(columns[0]), bool)
    good[list(faults)] = False
    if faults:
        values = values[good] if isinstance(values, np.ndarray) else [v[good] for v in values]
    return Features(_input(signature, values), np.flatnonzero(good), faults)


def _values(signature: Signature, columns: Sequence[Any]) -> Array | list[Array]:
    """One matrix where all are numbers, else an array a column."""
    if all(column.type == "number" for column in signature.columns):
        return _matrix(columns)
    return [
        _matrix([values])[:, 0] if column.type == "number" else _objects(values)
        for column, values in zip(signature.columns, columns, strict=True)
    ]


def _matrix(columns: Sequence[pa.ChunkedArray]) -> Array:
    matrix = np.empty((len(columns[0]), len(columns)))
    for place, column in enumerate(columns):
        row = 0
        for chunk in column.chunks:
            matrix[row : row + len(chunk), place] = _floats(chunk)
            row += len(chunk)
    return matrix


def _floats(chunk: pa.Array) -> Array:
    """Doubles, NaN where nothing is; integers beyond 2**53 are rounded, as JSON's are."""
    numbers = chunk if chunk.type == pa.float64() else chunk.cast(pa.float64(), safe=False)
    floats: Array = numbers.to_numpy(zero_copy_only=False)
    return floats


def _objects(column: Any) -> Array:
    """Objects, None where nothing is."""
    if isinstance(column, np.ndarray):
        return column
    objects = np.empty(len(column), dtype=object)
    objects[:] = column.to_pylist()
    return objects


def _faults(signature: Signature, values: Array | list[Array]) -> Faults:
    if isinstance(values, np.ndarray) and _certainly_finite(values):
        return {}
    faults: Faults = {}
    columns = values.T if isinstance(values, np.ndarray) else values
    for column, array in zip(signature.columns, columns, strict=True):
        for row in _suspicious(column, array):
            wrong = fault(column, _plain(array[row]))
            if wrong:
                faults.setdefault(int(row), f"column {column.name!r}: {wrong}")
    return faults


def _certainly_finite(values: Array) -> bool:
    """One sum finds any NaN and infinity; one that overflows only leaves it open."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()))


def _suspicious(column: Column, array: Array) -> Any:
    """Rows of a column that it may not take: missing values, infinities."""
    if column.type == "any":
        return range(len(array))
    if array.dtype == object:
        return () if column.nullable else np.flatnonzero(pd.isna(array))
    if column.nullable:
        return () if column.infinite else np.flatnonzero(np.isinf(array))
    return np.flatnonzero(np.isnan(array) if column.infinite else ~np.isfinite(array))


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if is_missing(value) else value


def _input(signature: Signature, values: Array | list[Array]) -> Any:
    names = [column.name for column in signature.columns]
    if isinstance(values, np.ndarray):
        if signature.frame:
            return pd.DataFrame(values, columns=names)
        return values[:, 0] if signature.flat else values
    if signature.frame:
        series = (pd.Series(array, dtype=array.dtype) for array in values)
        return pd.DataFrame(dict(zip(names, series, strict=True)))
    table = np.empty((len(values[0]), len(values)), dtype=object)
    for place, array in enumerate(values):
        table[:, place] = array
        table[pd.isna(array), place] = None
    return table[:, 0] if signature.flat else table
