"""Converts Arrow columns to the model's table, and finds rows that the model does not accept."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from registry.manifest import Column, Signature
from registry.rows.values import fault
from workers.models.tabular.columns import Array, array_of, is_float, is_whole, object_array
from workers.models.tabular.table import Table, is_matrix

Faults = dict[int, str]
"""Position of a row → its error."""
_FOREIGN = ("datetime", "duration", "date", "decimal", "any")
"""Column types whose values may be of types that JSON lacks, such as times and decimals."""
_CAST = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
"""Arrow types that become doubles. Booleans reach this only where the model takes them."""
_TEXT = pa.types.is_string, pa.types.is_large_string
"""Arrow types that become texts at once."""


class Features(msgspec.Struct, frozen=True):
    """The table of a block, and its errors."""

    input: Table
    """The good rows."""
    good: Array
    """Positions of the good rows among all rows."""
    faults: Faults


def gather(signature: Signature, columns: Sequence[Any], known: Faults | None = None) -> Features:
    """Build the table from columns in the signature's order, without rows known to be bad.

    Each column is an Arrow array, an array of objects, or None for an unused column that the
    file does not have.
    """
    rows = next(len(column) for column in columns if column is not None)
    faults = dict(known or {})
    if is_matrix(signature):
        matrix = _matrix(columns)
        _note_missing(signature, matrix.T, faults, certain=_certainly_finite(matrix))
        good = _good(rows, faults)
        matrix = matrix[good] if faults else matrix  # indexing copies, so only if it must
        return Features(Table(signature, matrix=matrix), np.flatnonzero(good), faults)
    arrays = [
        _array(column, values, rows, faults)
        for column, values in zip(signature.columns, columns, strict=True)
    ]
    good = _good(rows, faults)
    arrays = [array[good] for array in arrays] if faults else arrays
    return Features(Table(signature, arrays), np.flatnonzero(good), faults)


def _good(rows: int, faults: Faults) -> Array:
    good = np.ones(rows, bool)
    good[list(faults)] = False
    return good


def _array(column: Column, values: Any, rows: int, faults: Faults) -> Array:
    """The array of a column; notes its errors, and fills these rows with None."""
    if values is None or column.unused:
        return object_array([None] * rows)
    array = _quick(column, values)
    if array is not None:
        _note_missing_in(column, array, faults)
        return array
    found = _objects(column, values)
    for row, value in enumerate(found):
        if wrong := _fault(column, value):
            faults.setdefault(row, _fault_text(column, wrong))
            found[row] = None
    return array_of(column, found.tolist())


def _quick(column: Column, values: Any) -> Array | None:
    """The array, if Arrow's type converts directly to the model's dtype; else None."""
    if isinstance(values, np.ndarray):
        return None
    kind = values.type
    if is_float(column) and any(fits(kind) for fits in _CAST):
        return _matrix([values])[:, 0]
    if is_whole(column.dtype) and pa.types.is_integer(kind) and not values.null_count:
        return _whole(values.to_numpy(), column.dtype)
    if column.type == "string" and column.nullable and any(fits(kind) for fits in _TEXT):
        found = np.empty(len(values), dtype=object)
        with suppress(pa.ArrowException):  # invalid UTF-8; reading one by one reports the row
            found[:] = values.to_numpy()
            return found
    return None


def _whole(values: Array, dtype: str) -> Array | None:
    limits = np.iinfo(dtype)
    fits = not len(values) or (limits.min <= values.min() and values.max() <= limits.max)
    return values.astype(dtype) if fits else None


def _matrix(columns: Sequence[pa.ChunkedArray]) -> Array:
    matrix = np.empty((len(columns[0]), len(columns)))
    for index, column in enumerate(columns):
        row = 0
        for chunk in column.chunks:
            matrix[row : row + len(chunk), index] = _floats(chunk)
            row += len(chunk)
    return matrix


def _floats(chunk: pa.Array) -> Array:
    """Doubles, NaN for null."""
    numbers = chunk if chunk.type == pa.float64() else _doubles(chunk)
    floats: Array = numbers.to_numpy(zero_copy_only=False)
    return floats


def _doubles(numbers: Any) -> Any:
    """The nearest double of each number; integers beyond 2**53 are rounded, as JSON's are."""
    if pa.types.is_decimal(numbers.type):
        # By way of texts: Arrow's cast of decimals rounds twice, and 42.157 becomes
        # 42.157000000000004.
        return numbers.cast(pa.string()).cast(pa.float64())
    return numbers.cast(pa.float64(), safe=False)


def _objects(column: Column, values: Any) -> Array:
    """Values as from JSON; times keep Python's or pandas's types, which hold more than text."""
    if isinstance(values, np.ndarray):
        return values
    if column.type == "number" and pa.types.is_decimal(values.type):
        values = _doubles(values)
    if pa.types.is_timestamp(values.type) or pa.types.is_duration(values.type):
        return object_array([None if pd.isna(value) else value for value in values.to_pandas()])
    return object_array(values.to_pylist())


def _fault(column: Column, value: Any) -> str | None:
    """`fault`, extended to values of types that JSON lacks."""
    if value is None or isinstance(value, str | int | float):
        return fault(column, value)
    if column.type == "datetime" and isinstance(value, date):
        return fault(column, value.isoformat())
    return None if column.type in _FOREIGN else fault(column, value)


def _note_missing(
    signature: Signature, arrays: Sequence[Array], faults: Faults, *, certain: bool
) -> None:
    if not certain:
        for column, array in zip(signature.columns, arrays, strict=True):
            _note_missing_in(column, array, faults)


def _note_missing_in(column: Column, array: Array, faults: Faults) -> None:
    for row in _suspicious(column, array):
        if wrong := fault(column, array[row].item()):
            faults.setdefault(int(row), _fault_text(column, wrong))


def _fault_text(column: Column, wrong: str) -> str:
    return f"column {column.name!r}: {wrong}"


def _certainly_finite(values: Array) -> bool:
    """Whether all values are finite, by one sum: False if a sum of finite values overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()))


def _suspicious(column: Column, array: Array) -> Any:
    """Rows whose value the column may not accept: missing or infinite."""
    if array.dtype.kind != "f":
        return ()
    if column.nullable:
        return () if column.infinite else np.flatnonzero(np.isinf(array))
    return np.flatnonzero(np.isnan(array) if column.infinite else ~np.isfinite(array))
