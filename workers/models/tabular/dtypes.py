"""Casts a column's array to the dtype that the model was trained on, if the values allow it."""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Column
from workers.models.tabular.columns import FLOAT, OBJECT, Array, is_counted, is_whole, object_array

MISSING_VALUES: dict[str, Any] = {"nan": np.nan, "none": None, "nat": pd.NaT, "na": pd.NA}
_KINDS = {int: 1, float: 1, bool: 2, str: 3}
"""Codes of values; a column of one code has a dtype of its own. 0: missing, 4: any other type."""


def dtype_codes(column: Column, array: Array) -> Array | None:
    """A code per row; rows with equal codes make a column of one dtype. None if all are alike.

    NumPy's integers and booleans have no missing value. A row with a missing value or a fraction
    therefore reaches the model in another dtype than rows without, and must not change theirs.
    """
    if getattr(array, "dtype", None) != OBJECT or column.unused:
        return None
    if column.type == "any" and column.dtype != "object":
        return _mixed(array)
    if column.type == "number" and is_counted(column.dtype):
        return np.array([not fits for fits in _fitting(column.dtype, array)], dtype=np.int8)
    if column.type == "boolean" and column.dtype == "bool":
        return np.array([value is None for value in array], dtype=np.int8)
    return None


def cast_to_dtype(column: Column, array: Array) -> Array:
    """Cast an array whose rows all have one of `dtype_codes` to the dtype that the model gets."""
    if column.unused:
        return np.full(len(array), np.nan)
    if column.type == "category":
        return _category(column, array)
    if column.type == "number":
        return _number(column, array)
    if column.type == "boolean":
        return _boolean(column, array)
    if column.type == "any" and column.dtype != "object":
        return _guessed(column, array)
    if array.dtype != OBJECT:
        return array
    return _texts(column, array) if column.type == "string" else fill_missing(column, array)


def fill_missing(column: Column, array: Array) -> Array:
    """Replace None in an array of objects by the missing value that the model was trained with."""
    missing = MISSING_VALUES[column.null]
    return array if missing is None else object_array([missing if v is None else v for v in array])


def _mixed(array: Array) -> Array | None:
    found = [0 if value is None else _KINDS.get(type(value), 4) for value in array]
    several = set(found) - {0}
    if len(several) < 2:
        return None
    return np.array(found, dtype=np.int8)


def _fitting(dtype: str, array: Array) -> list[bool]:
    """Whether an integer dtype can hold each value."""
    limits, nullable = np.iinfo(dtype.lower()), not is_whole(dtype)
    least, greatest = int(limits.min), int(limits.max)
    return [
        nullable if value is None else _is_whole(value) and least <= value <= greatest
        for value in array
    ]


def _is_whole(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


def _number(column: Column, array: Array) -> Array:
    dtype = column.dtype or "float64"
    if dtype == "object":
        return fill_missing(column, array)
    if array.dtype == dtype:
        return array
    if array.dtype != OBJECT:
        return array.astype(dtype)
    if is_counted(dtype):
        return _whole_or_float(dtype, array)
    return pd.array(list(array), dtype=dtype)


def _whole_or_float(dtype: str, array: Array) -> Array:
    if all(_fitting(dtype, array)):
        whole = [None if value is None else int(value) for value in array]
        return np.array(whole, dtype=dtype) if is_whole(dtype) else pd.array(whole, dtype=dtype)
    return array.astype(FLOAT) if is_whole(dtype) else pd.array(list(array), dtype="Float64")


def _boolean(column: Column, array: Array) -> Array:
    if array.dtype == bool and column.dtype in ("", "bool"):
        return array
    if column.dtype in ("boolean", "bool[pyarrow]"):
        return pd.array(list(array), dtype=column.dtype)
    if column.dtype != "object" and not any(value is None for value in array):
        return array.astype(bool)
    return fill_missing(column, array.astype(object))


def _texts(column: Column, array: Array) -> Array:
    # pandas' own text dtype, unless the model was trained on another.
    dtype = column.dtype or ("object" if column.null == "none" else "str")
    return fill_missing(column, array) if dtype == "object" else pd.array(array, dtype=dtype)


def _category(column: Column, array: Array) -> Array:
    """Categories in the model's order, then unknown values, so that the model decides on them."""
    known = _known(column)
    strange = [v for v in dict.fromkeys(array.tolist()) if v is not None and v not in known]
    categories = known.append(pd.Index(strange)) if strange else known
    return pd.Categorical(array, categories=categories, ordered=column.ordered)


@lru_cache(maxsize=1024)
def _known(column: Column) -> pd.Index:
    return pd.Index(list(column.categories or ()))


def _guessed(column: Column, array: Array) -> Array:
    """The dtype that pandas infers, for a column of unknown type."""
    types = {type(value) for value in array if value is not None}
    if types and types <= {int, float}:
        return array.astype(FLOAT)
    if types == {bool} and not any(value is None for value in array):
        return array.astype(bool)
    return _texts(column, array) if types == {str} else fill_missing(column, array)
