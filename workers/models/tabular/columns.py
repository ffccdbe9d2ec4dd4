"""Converts one column: wire values in, an array of the model's dtype out, if the values allow it.

An array is a NumPy or pandas array with one entry per row, and None, NaN or NaT for a missing
value. If the dtype cannot hold a value, such as a fraction in a column of integers, the array holds
objects; `workers.models.tabular.dtypes` then decides row by row what the model gets.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Column
from registry.rows.values import is_missing

Array = Any
"""A NumPy array, or an extension array of pandas."""
OBJECT = np.dtype(object)
FLOAT = np.dtype(np.float64)
_WHOLE = re.compile(r"u?int(8|16|32|64)")


def array_of(column: Column, values: Sequence[Any]) -> Array:
    """Convert values that passed `registry.rows.values.fault` to the column's array.

    Raises what pandas raises for a time that it cannot represent.
    """
    return _MAKERS.get(column.type, _objects)(column, values)


def is_whole(dtype: str) -> bool:
    """Whether a dtype is one of NumPy's integers, which have no missing value."""
    return _WHOLE.fullmatch(dtype) is not None


def is_counted(dtype: str) -> bool:
    """Whether a dtype is an integer of NumPy or of pandas; pandas' has a missing value."""
    return is_whole(dtype.lower())


def is_float(column: Column) -> bool:
    """Whether the column holds plain float64 numbers."""
    return column.type == "number" and column.dtype in ("", "float64")


def object_array(values: Sequence[Any]) -> Array:
    """A one-dimensional array of these objects, even if they are lists."""
    return np.fromiter(values, dtype=OBJECT, count=len(values))


def _objects(_: Column, values: Sequence[Any]) -> Array:
    return object_array([None if is_missing(value) else value for value in values])


def _numbers(column: Column, values: Sequence[Any]) -> Array:
    if is_whole(column.dtype):
        return _whole(column, values)
    if column.dtype in ("", "float64", "float32", "float16"):
        return np.array(values, dtype=FLOAT)  # None becomes NaN
    return _objects(column, values)


def _whole(column: Column, values: Sequence[Any]) -> Array:
    if set(map(type, values)) <= {int}:
        try:
            return np.array(values, dtype=column.dtype)
        except OverflowError:
            pass
    return _objects(column, values)


def _booleans(column: Column, values: Sequence[Any]) -> Array:
    plain = column.dtype == "bool" and set(map(type, values)) <= {bool}
    return np.array(values, dtype=bool) if plain else _objects(column, values)


def _times(column: Column, values: Sequence[Any]) -> Array:
    if column.dtype.endswith("[pyarrow]"):
        times = pd.Series(values, dtype=OBJECT)
        times = pd.to_datetime(times, format="ISO8601", utc="tz=" in column.dtype)
        return times.astype(column.dtype).array
    unit, _, zone = column.dtype.removeprefix("datetime64[").rstrip("]").partition(", ")
    if not zone:
        times = pd.to_datetime(pd.Series(values, dtype=OBJECT), format="ISO8601")
        return _as(times, column.dtype or "datetime64[ns]")
    times = pd.to_datetime(pd.Series(values, dtype=OBJECT), format="ISO8601", utc=True)
    return _as(times.dt.tz_convert(zone), f"datetime64[{unit}, {zone}]")


def _durations(column: Column, values: Sequence[Any]) -> Array:
    spans = pd.to_timedelta(pd.Series(values, dtype=OBJECT))
    return _as(spans, column.dtype or "timedelta64[ns]")


def _as(times: pd.Series, dtype: str) -> Array:
    """Cast to the dtype's unit, unless that would lose precision."""
    cast = times.astype(dtype)
    return cast.array if ((cast == times) | times.isna()).all() else times.array


def _dates(_: Column, values: Sequence[Any]) -> Array:
    return object_array([None if value is None else _date(value) for value in values])


def _date(value: Any) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value)
    found: date = value.date() if isinstance(value, datetime) else value
    return found


def _decimals(_: Column, values: Sequence[Any]) -> Array:
    return object_array([None if is_missing(value) else Decimal(str(value)) for value in values])


_MAKERS: dict[str, Callable[[Column, Sequence[Any]], Array]] = {
    "number": _numbers,
    "boolean": _booleans,
    "datetime": _times,
    "duration": _durations,
    "date": _dates,
    "decimal": _decimals,
}
