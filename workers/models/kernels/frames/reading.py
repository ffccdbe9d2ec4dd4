"""Reads the columns of a frame as arrays and as Python values, as scikit-learn converts them."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from workers.models.tabular.columns import FLOAT, OBJECT, Array

KNOWN_TYPES = frozenset({str, int, float, bool, type(None)})
"""Types of values in columns of objects; others may equal a category in ways of their own."""
NUMBER_DTYPES = (FLOAT, np.dtype(np.int64))
_BOOL = np.dtype(bool)


class Values(msgspec.Struct, frozen=True):
    """The values of a column."""

    dtype: Any
    """The NumPy dtype that scikit-learn sees."""
    values: list[Any]
    """Python's own values; NaN is missing."""


def columns_of(frame: pd.DataFrame, indices: Sequence[int]) -> list[Array]:
    """The arrays of some columns."""
    # The public ways make a series of each column, which takes thirty times as long.
    return [frame._get_column_array(index) for index in indices]


def values_of(array: Array) -> Values | None:
    """The values of a column; None if it has a dtype or a value that is not known here."""
    if isinstance(array, pd.Categorical):
        return _of_categorical(array)
    if isinstance(getattr(array, "dtype", None), pd.StringDtype):
        is_plain = isinstance(array.dtype.na_value, float)  # not `pandas.NA`
        return Values(OBJECT, np.asarray(array).tolist()) if is_plain else None
    if type(array) is not np.ndarray:
        return None
    if array.dtype == OBJECT:
        values = array.tolist()
        return Values(OBJECT, values) if KNOWN_TYPES.issuperset(map(type, values)) else None
    return Values(array.dtype, array.tolist()) if array.dtype in (*NUMBER_DTYPES, _BOOL) else None


def _of_categorical(array: pd.Categorical) -> Values | None:
    categories, codes = array.categories, array.codes
    names = categories.tolist()
    if isinstance(categories.dtype, pd.StringDtype) or categories.dtype == OBJECT:
        if not KNOWN_TYPES.issuperset(map(type, names)):
            return None
        dtype = OBJECT
    elif categories.dtype in NUMBER_DTYPES and (codes >= 0).all():
        dtype = categories.dtype
    else:
        return None
    names.append(np.nan)  # found under the code -1, which means missing
    return Values(dtype, [names[code] for code in codes.tolist()])


def matrix_of(arrays: Sequence[Array]) -> Array | None:
    """The columns side by side in the dtype and layout of `DataFrame.to_numpy`.

    None if any column does not hold plain float64, int64 or booleans.
    """
    if not all(type(array) is np.ndarray for array in arrays):
        return None
    dtypes = {array.dtype for array in arrays}
    if not dtypes <= {*NUMBER_DTYPES, _BOOL}:
        return None
    if _BOOL in dtypes and len(dtypes) > 1:
        arrays = [array.astype(object) for array in arrays]
    return np.array(arrays).T
