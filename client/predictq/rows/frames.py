"""Reads data frames of pandas, polars and Arrow column by column."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from predictq.errors import refused
from predictq.rows.arrays import has_attributes, is_array, to_lists
from predictq.rows.times import elapsed, normalized_decimals


class Table(NamedTuple):
    """Columns of equal length; ``names`` is None if they are identified by position."""

    names: list[str] | None
    columns: list[list[Any]]
    height: int


def is_frame(value: Any) -> bool:
    """Whether it is a data frame of pandas or polars, or an Arrow table."""
    is_foreign = has_attributes(value, "get_columns") or has_attributes(
        value, "column_names", "to_pylist"
    )
    return is_pandas(value) or is_foreign


def table(frame: Any) -> Table:
    """Convert a data frame to lists by column.

    Raises `InvalidRequest` for multi-level, duplicate or partly non-text column names.
    """
    if is_pandas(frame):
        return _of_pandas(frame)
    is_arrow = has_attributes(frame, "column_names")
    names = list(frame.column_names if is_arrow else frame.columns)
    check_columns(names)
    columns = frame.columns if is_arrow else frame.get_columns()
    return Table(names, [column(values) for values in columns], len(frame))


def check_is_there(value: Any) -> None:
    """Raise `InvalidRequest` for a lazy frame."""
    if has_attributes(value, "collect"):
        raise refused(f"a {type(value).__name__} is lazy: send the result of its collect()")


def slices(frame: Any, size: int) -> Iterator[Any]:
    """Yield the frame in pieces of ``size`` rows."""
    from_pandas = is_pandas(frame)
    for start in range(0, len(frame), size):
        yield frame.iloc[start : start + size] if from_pandas else frame.slice(start, size)


def is_column(value: Any) -> bool:
    """Whether it is a polars series or an Arrow array, which have no labels."""
    return has_attributes(value, "get_chunks") or has_attributes(value, "to_pylist")


def column(values: Any) -> list[Any]:
    """Convert a column of pandas, polars or Arrow to a list."""
    if has_attributes(values, "to_pylist"):
        return _of_arrow(values)
    return _of_polars(values) if has_attributes(values, "get_chunks") else _of_series(values)


def is_series(value: Any) -> bool:
    """Whether it is a pandas series, which may be a row or a column."""
    return has_attributes(value, "iloc", "index", "to_dict")


def labels(series: Any) -> list[str] | None:
    """The labels of a series if they are text (a row of a frame); else None."""
    found = list(series.index)
    if not any(isinstance(label, str) for label in found):
        return None
    check_columns(found)
    return found


def check_columns(names: list[Any]) -> None:
    """Raise `InvalidRequest` for names that are not text, or not unique."""
    for name in names:
        if not isinstance(name, str):  # by position it might be taken for another column
            raise refused(
                f"column {name!r} of the data frame has a name that is not text; rename it"
            )
    if len(set(names)) < len(names):  # a dict would keep only the last one
        double = next(name for name in names if names.count(name) > 1)
        raise refused(f"the data frame has more than one column {double!r}")


def is_pandas(value: Any) -> bool:
    """Whether it is a data frame of pandas."""
    return has_attributes(value, "iloc", "columns")


def _of_pandas(frame: Any) -> Table:
    if frame.columns.nlevels > 1:
        example = "frame.columns = ['_'.join(map(str, names)) for names in frame.columns]"
        raise refused(f"the data frame's columns have names on several levels; try {example}")
    names = list(frame.columns)
    is_named = any(isinstance(name, str) for name in names)
    if is_named:
        check_columns(names)
    columns = [column(frame.iloc[:, index]) for index in range(len(names))]
    return Table(names if is_named else None, columns, len(frame))


def _of_series(series: Any) -> list[Any]:
    if type(series.dtype).__name__ == "CategoricalDtype":
        kinds: list[Any] = series.cat.categories.tolist()
        return [None if code < 0 else kinds[code] for code in series.cat.codes.tolist()]
    # pandas' extension types convert their values themselves; NumPy would lose information.
    is_plain = type(series.dtype).__module__.startswith("numpy")
    values = series.to_numpy() if is_plain else series
    found: list[Any] = to_lists(values) if is_array(values) else series.tolist()
    return found


def _of_polars(series: Any) -> list[Any]:
    kind = str(series.dtype)  # Python's types have microseconds only
    if kind.startswith(("Datetime", "Time")):
        told = series.dt.to_string("iso:strict" if kind.startswith("Datetime") else "iso")
        return [normalized_decimals(text) for text in told.to_list()]
    if kind.startswith("Duration"):
        counts = series.dt.total_nanoseconds().to_list()
        return [None if count is None else elapsed(count) for count in counts]
    found: list[Any] = series.to_list()
    return found


def _of_arrow(values: Any) -> list[Any]:
    if str(values.type) == "time64[ns]":
        return [normalized_decimals(text) for text in values.cast("string").to_pylist()]
    try:
        found: list[Any] = values.to_pylist()
    except ValueError as error:  # nanoseconds, if pandas is not installed
        raise refused(f"a column of type {values.type} cannot be sent: {error}") from error
    return found
