"""Converts rows of any kind to lists, dicts and scalars that JSON can encode."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from predictq.errors import refused
from predictq.rows.arrays import dense, has_attributes, is_array, is_plain, is_sparse, to_lists
from predictq.rows.frames import (
    check_is_there,
    column,
    is_column,
    is_frame,
    is_series,
    labels,
    table,
)
from predictq.rows.times import duration, time_text

PLAIN = frozenset({int, str, bool, type(None)})
TEXT_TYPES = frozenset({str})
WITH_NUMBERS = PLAIN | {float}
MISSING_TYPES = ("NAType", "NaTType")
"""Types of pandas' missing values. NA cannot be compared, and NaT would pass for a date."""
SENT_AS_TEXT = ("Period", "Interval")
SEVERAL = (list, tuple)


def features(rows: Any) -> Any:
    """Convert ``rows`` to lists, dicts and scalars; missing values become None.

    ``rows`` is a row or rows: lists, tuples, mappings and other iterables; data frames of pandas
    and polars, and Arrow tables; NumPy arrays, also masked ones, and SciPy sparse matrices. Rows
    with names become dicts: frames with column names, named tuples, NumPy records, a series that is
    a row of a frame. A series without text labels is a list of values: rows of a model with one
    column. Dates, times and durations become ISO 8601 text, categories their values, and decimals
    numbers. Values that JSON cannot encode stay as they are.

    Raises `InvalidRequest` for column names that are not text or not unique, for a lazy frame, for
    a mapping of whole columns, and for a list that contains itself.
    """
    try:
        if isinstance(rows, Mapping):
            _check_is_row(rows)
        return _plain(rows)
    except RecursionError as error:
        raise refused("the rows are nested too deeply, or contain a cycle") from error


def frame_records(frame: Any) -> list[Any]:
    """Convert a data frame to dicts by column name, or to lists if no name is text.

    Raises `InvalidRequest` like `features`.
    """
    names, columns, height = table(frame)
    if not columns:
        return [[] for _ in range(height)]
    rows = zip(*map(_list, columns), strict=True)
    if names is None:
        return list(map(list, rows))
    return [dict(zip(names, row, strict=True)) for row in rows]


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is float:
        return value if value == value else None  # only NaN differs from itself
    if kind in PLAIN:
        return value
    if kind in SEVERAL and not has_attributes(value, "_asdict"):
        return _list(value)
    return _object(value) if isinstance(value, Mapping) else _foreign(value)


def _list(values: Iterable[Any]) -> list[Any]:
    kinds = {*map(type, values)}
    if kinds <= PLAIN:
        return list(values)
    if kinds <= WITH_NUMBERS:
        return [value if value == value else None for value in values]
    return [_plain(value) for value in values]


def _object(row: Mapping[Any, Any]) -> dict[str, Any]:
    if {*map(type, row)} - TEXT_TYPES:
        _check_names(row)
    kinds = {*map(type, row.values())}
    if kinds <= PLAIN:
        return dict(row)
    if kinds <= WITH_NUMBERS:
        return {name: value if value == value else None for name, value in row.items()}
    return {name: _plain(value) for name, value in row.items()}


def _check_names(row: Iterable[Any]) -> None:
    for name in row:
        if not isinstance(name, str):
            raise refused(f"column {name!r} has a name that is not text")


def _foreign(value: Any) -> Any:
    kind = type(value).__name__
    if kind in MISSING_TYPES:
        return None
    if kind in SENT_AS_TEXT:
        return str(value)
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, date | time):
        return time_text(value)
    if isinstance(value, Decimal):
        return _number(value)
    if has_attributes(value, "_asdict"):  # a named tuple, such as from DataFrame.itertuples
        return _plain(value._asdict())
    return _held(value)


def _held(value: Any) -> Any:
    """Convert the container of a library."""
    if is_array(value):
        return to_lists(value) if is_plain(value) else _plain(to_lists(value))
    if is_frame(value):
        return frame_records(value)
    if is_series(value):
        return _series(value)
    if is_column(value):
        return _list(column(value))
    if is_sparse(value):
        return _list(dense(value))
    return _iterated(value)


def _iterated(value: Any) -> Any:
    check_is_there(value)
    if has_attributes(value, "as_py"):  # an Arrow scalar
        return _plain(value.as_py())
    if has_attributes(value, "tolist"):
        return _plain(value.tolist())
    if has_attributes(value, "__array__"):
        return _plain(value.__array__())
    is_text = isinstance(value, str | bytes | bytearray | memoryview)
    is_ordered = isinstance(value, Iterable) and not isinstance(value, AbstractSet)
    return _list(list(value)) if is_ordered and not is_text else value


def _series(series: Any) -> Any:
    """A series as a dict if it is a row of a data frame, else as a list."""
    names, values = labels(series), _list(column(series))
    return values if names is None else dict(zip(names, values, strict=True))


def _check_is_row(row: Mapping[Any, Any]) -> None:
    if row and all(map(_is_column, row.values())):
        raise refused(
            "an object is one row, and here each name has several values; as rows they are "
            "[dict(zip(columns, row)) for row in zip(*columns.values())]"
        )


def _is_column(value: Any) -> bool:
    return isinstance(value, SEVERAL) or bool(getattr(value, "shape", ()))


def _number(value: Decimal) -> int | float | None:
    """An int if it is whole, since ids in databases are often decimals; else the nearest float."""
    if value.is_nan():
        return None
    is_whole = value.is_finite() and not value.as_tuple().exponent
    return int(value) if is_whole else float(value)
