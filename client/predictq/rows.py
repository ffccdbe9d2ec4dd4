"""Turns the rows that callers hold into what JSON can say."""

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

from predictq.errors import refused

PLAIN = frozenset({int, str, bool, type(None)})


def features(rows: Any) -> Any:
    """Give ``rows`` as lists, objects and scalars; a missing value is None.

    Takes a row or rows as lists, tuples or mappings, a pandas data frame (by its column names,
    where it has any), and whatever has a ``tolist`` method, NumPy arrays above all. What has names
    goes by them: named tuples, NumPy's records, a series that is a row of a frame. Dates and
    times become ISO 8601 text, a decimal the number that a file would have. Raises
    `InvalidRequest` where a frame has two columns of one name, or names for some of them only.
    """
    kind = type(rows)
    if kind is float:
        return rows if rows == rows else None  # only NaN differs from itself
    if kind in PLAIN:
        return rows
    if isinstance(rows, Mapping):
        return {name: features(value) for name, value in rows.items()}
    if hasattr(rows, "_asdict"):  # a named tuple, as of a frame's rows
        return features(rows._asdict())
    if isinstance(rows, list | tuple):
        return [features(value) for value in rows]
    return _foreign(rows)


def records(frame: Any) -> Any:
    """The rows of a data frame: by its column names, or, where none is text, as an array.

    Raises `InvalidRequest` where some are text only, or two are the same.
    """
    names = list(frame.columns)
    if not any(isinstance(name, str) for name in names):
        return frame.to_numpy()
    _check(names)
    return frame.to_dict(orient="records")


def _check(names: list[Any]) -> None:
    for name in names:
        if not isinstance(name, str):  # by their positions the columns might stand for others
            raise refused(f"column {name!r} of the data frame has no text for a name, others have")
    if len(set(names)) < len(names):  # a row by name would have the last of them alone
        double = next(name for name in names if names.count(name) > 1)
        raise refused(f"the data frame has more than one column {double!r}")


def _series(series: Any) -> Any:
    """A row of a data frame goes by the names of its columns; else they are values."""
    labels = list(series.index)
    if not any(isinstance(label, str) for label in labels):
        return series.tolist()
    _check(labels)
    return series.to_dict()


def _foreign(value: Any) -> Any:
    # pandas.NA compares to nothing, so it is known by its type's name; NaT would pass for a date.
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _number(value)
    if hasattr(value, "columns") and hasattr(value, "to_dict"):
        return features(records(value))
    if hasattr(value, "index") and hasattr(value, "to_dict"):
        return features(_series(value))
    if names := getattr(getattr(value, "dtype", None), "names", None):  # NumPy's records
        rows = [dict(zip(names, row, strict=True)) for row in value.reshape(-1).tolist()]
        return features(rows if value.shape else rows[0])
    return features(_timed(value).tolist()) if hasattr(value, "tolist") else value


def _number(value: Decimal) -> int | float | None:
    """A whole number exactly, as ids of databases are; else the nearest double."""
    if value.is_nan():
        return None
    is_whole = value.is_finite() and not value.as_tuple().exponent
    return int(value) if is_whole else float(value)


def _timed(value: Any) -> Any:
    # NumPy makes integers of times in nanoseconds.
    kind = str(getattr(value, "dtype", ""))
    return value.astype("datetime64[us]") if kind == "datetime64[ns]" else value
