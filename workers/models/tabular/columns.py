"""One column: values of the wire in, an array out that is the model's dtype as far as they allow.

An array here is NumPy's or pandas', has an entry a row, and None, NaN or NaT where nothing is.
Values that the dtype has no room for, as a fraction among whole numbers, make it one of objects;
`workers.models.tabular.dtypes` decides then, row by row, what the model meets.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Column
from registry.values import is_missing

Array = Any
"""A NumPy array, or an extension array of pandas."""
OBJECT = np.dtype(object)
FLOAT = np.dtype(np.float64)
_WHOLE = re.compile(r"u?int(8|16|32|64)")


def array_of(column: Column, values: Sequence[Any]) -> Array:
    """Make a column's array of values that passed `registry.values.fault`.

    Raises what pandas raises for a time that it has no word for.
    """
    return _MAKERS.get(column.type, _objects)(column, values)


def is_whole(dtype: str) -> bool:
    """Whether it is NumPy's dtype of whole numbers, which has no missing value."""
    return _WHOLE.fullmatch(dtype) is not None


def is_counted(dtype: str) -> bool:
    """Whether it is one of whole numbers, be it pandas' own, which has a missing value."""
    return is_whole(dtype.lower())


def is_float(column: Column) -> bool:
    """Whether the column is one of doubles, plainly."""
    return column.type == "number" and column.dtype in ("", "float64")


def objects(values: Sequence[Any]) -> Array:
    """An array of just these objects, be they lists."""
    return np.fromiter(values, dtype=OBJECT, count=len(values))


def _objects(_: Column, values: Sequence[Any]) -> Array:
    return objects([None if is_missing(value) else value for value in values])


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
    """In the dtype's unit, unless what is finer would be lost."""
    cast = times.astype(dtype)
    return cast.array if ((cast == times) | times.isna()).all() else times.array


def _dates(_: Column, values: Sequence[Any]) -> Array:
    return objects([None if value is None else _date(value) for value in values])


def _date(value: Any) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value)
    found: date = value.date() if isinstance(value, datetime) else value
    return found


def _decimals(_: Column, values: Sequence[Any]) -> Array:
    return objects([None if is_missing(value) else Decimal(str(value)) for value in values])


_MAKERS: dict[str, Callable[[Column, Sequence[Any]], Array]] = {
    "number": _numbers,
    "boolean": _booleans,
    "datetime": _times,
    "duration": _durations,
    "date": _dates,
    "decimal": _decimals,
}
