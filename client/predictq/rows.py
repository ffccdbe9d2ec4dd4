"""Turns the rows that callers hold into what JSON can say."""

from collections.abc import Mapping
from typing import Any

PLAIN = frozenset({int, str, bool, type(None)})


def features(rows: Any) -> Any:
    """Give ``rows`` as lists, objects and scalars; a missing value is None.

    Takes a row or rows as lists, tuples or mappings, a pandas data frame (by its column names,
    where it has any), and whatever has a ``tolist`` method, NumPy arrays above all.
    """
    kind = type(rows)
    if kind is float:
        return rows if rows == rows else None  # only NaN differs from itself
    if kind in PLAIN:
        return rows
    if isinstance(rows, Mapping):
        return {name: features(value) for name, value in rows.items()}
    if isinstance(rows, list | tuple):
        return [features(value) for value in rows]
    return _foreign(rows)


def _foreign(value: Any) -> Any:
    if hasattr(value, "columns") and hasattr(value, "to_dict"):
        return features(_records(value))
    if hasattr(value, "tolist"):
        return features(value.tolist())
    # pandas.NA compares to nothing, so it is known by its type's name.
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def _records(frame: Any) -> Any:
    named = all(isinstance(name, str) for name in frame.columns)
    return frame.to_dict(orient="records") if named else frame.to_numpy().tolist()
