"""Reduces the values of a feature to floats, or to counted texts: the same for every door."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Column
from workers.models.tabular.columns import FLOAT, OBJECT, Array

MAX_NAME = 60
"""Characters of a value that tell it from others."""
_ROUNDED = ("float32", "float16")


def is_ordered(column: Column) -> bool:
    """Whether the values of a column are numbers or times."""
    return column.type in _MAKERS


def floats(column: Column, arrays: Sequence[Array]) -> Array:
    """The values of an ordered column, joined; NaN for a missing one."""
    make = _MAKERS[column.type]
    joined = np.concatenate([make(array) for array in arrays])
    # As the model gets them: 0.1 lies elsewhere among floats of fewer bits.
    return joined.astype(column.dtype).astype(FLOAT) if column.dtype in _ROUNDED else joined


def counted_names(arrays: Sequence[Array]) -> Counter[str | None]:
    """How often each value is there, as text; None for a missing one."""
    plain = all(isinstance(array, np.ndarray) for array in arrays)
    joined = [np.concatenate(arrays)] if plain else arrays  # one array is counted faster than many
    raw: Counter[Any] = Counter()
    for array in joined:
        raw.update(array.tolist())
    named: Counter[str | None] = Counter()
    for value, times in raw.items():
        named[_name(value)] += times
    return named


def held_bytes(array: Array) -> int:
    """About how many bytes an array and its values take, such as long texts."""
    held: int = array.nbytes
    if array.dtype == OBJECT:
        held += sum(map(sys.getsizeof, array))
    return held


def _name(value: Any) -> str | None:
    if _is_nothing(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # JSON may write a whole number either way
    return str(value)[:MAX_NAME]


def _is_nothing(value: Any) -> bool:
    # NaN and NaT differ from themselves.
    return value is None or value is pd.NA or bool(value != value)


def _numbers(array: Array) -> Array:
    if isinstance(array, np.ndarray) and array.dtype.kind in "iufb":
        return array.astype(FLOAT, copy=False)
    return _each(array, float)


def _days(array: Array) -> Array:
    return _each(array, lambda value: value.toordinal())


def _each(array: Array, make: Callable[[Any], float]) -> Array:
    return np.array([np.nan if _is_nothing(v) else make(v) for v in array], dtype=FLOAT)


def _seconds(kind: str) -> Callable[[Array], Array]:
    def make(array: Array) -> Array:
        ticks = np.asarray(array, dtype=f"{kind}8[us]")
        return np.where(np.isnat(ticks), np.nan, ticks.astype(np.int64) / 1e6)

    return make


_MAKERS: dict[str, Callable[[Array], Array]] = {
    "number": _numbers,
    "decimal": _numbers,
    "date": _days,
    "datetime": _seconds("M"),
    "duration": _seconds("m"),
}
