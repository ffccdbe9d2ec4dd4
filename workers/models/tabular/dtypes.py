"""What the model meets of a column: the dtype that it was trained on, wherever the values allow."""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Column
from workers.models.tabular.columns import FLOAT, OBJECT, Array, is_counted, is_whole, objects

MISSING_VALUES: dict[str, Any] = {"nan": np.nan, "none": None, "nat": pd.NaT, "na": pd.NA}
_KINDS = {int: 1, float: 1, bool: 2, str: 3}
"""Kinds of values that make a column of another dtype, each for itself; 0 is nothing, 4 others."""


def kinds(column: Column, array: Array) -> Array | None:
    """Of each row: what the column's dtype would be if all were like it; None if all are alike.

    Whole numbers and booleans have no missing value, so a row that has one, or a fraction, is
    another frame to the model than the rows that have none.
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


def met(column: Column, array: Array) -> Array:
    """The array as the model meets it; its rows are of one kind."""
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
    return _texts(column, array) if column.type == "string" else filled(column, array)


def filled(column: Column, array: Array) -> Array:
    """Objects with the missing value that the model was trained with."""
    missing = MISSING_VALUES[column.null]
    return array if missing is None else objects([missing if v is None else v for v in array])


def _mixed(array: Array) -> Array | None:
    found = [0 if value is None else _KINDS.get(type(value), 4) for value in array]
    several = set(found) - {0}
    if len(several) < 2:
        return None
    return np.array(found, dtype=np.int8)


def _fitting(dtype: str, array: Array) -> list[bool]:
    """Of each value: whether the dtype of whole numbers has room for it."""
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
        return filled(column, array)
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
    if column.dtype == "boolean":
        return pd.array(list(array), dtype="boolean")
    if column.dtype != "object" and not any(value is None for value in array):
        return array.astype(bool)
    return filled(column, array.astype(object))


def _texts(column: Column, array: Array) -> Array:
    # What pandas makes of text, unless the model was trained on something else.
    dtype = column.dtype or ("object" if column.null == "none" else "str")
    return filled(column, array) if dtype == "object" else pd.array(array, dtype=dtype)


def _category(column: Column, array: Array) -> Array:
    """Categories in the model's order; what it never saw comes behind, so that it decides."""
    known = _known(column)
    strange = [v for v in dict.fromkeys(array.tolist()) if v is not None and v not in known]
    categories = known.append(pd.Index(strange)) if strange else known
    return pd.Categorical(array, categories=categories, ordered=column.ordered)


@lru_cache(maxsize=1024)
def _known(column: Column) -> pd.Index:
    return pd.Index(list(column.categories or ()))


def _guessed(column: Column, array: Array) -> Array:
    """What pandas would make of the values, in a column of which nobody said more."""
    types = {type(value) for value in array if value is not None}
    if types and types <= {int, float}:
        return array.astype(FLOAT)
    if types == {bool} and not any(value is None for value in array):
        return array.astype(bool)
    return _texts(column, array) if types == {str} else filled(column, array)
