"""Describes a column by its values in a frame."""

from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Column, Kind, Null
from registry.rows.values import is_missing
from tasks.jobs.files.dialect import MISSING_TEXTS
from telemetry.errors import ModelUnloadable
from workers.models.signature.knowledge import Known
from workers.models.signature.wire import wire_value

_PLAIN: dict[type, Kind] = {int: "number", float: "number", str: "string", bool: "boolean"}
_NAMED: dict[str, Kind] = {"date": "date", "Decimal": "decimal"}
_NUMERIC: dict[str, Kind] = {"i": "number", "u": "number", "f": "number", "b": "boolean"}
_TEMPORAL: dict[str, Kind] = {"M": "datetime", "m": "duration"}


def described_column(name: str, series: pd.Series, known: list[Known]) -> Column:
    """Describe a column by its values.

    ``known`` is what the model's steps know of the column. Raises `ModelUnloadable` if it holds
    values that JSON cannot express.
    """
    values = series[series.notna()]
    kind = _kind(name, series, values)
    return Column(
        name,
        kind,
        nullable=bool(series.isna().any()),
        dtype=str(series.dtype),
        null=_null(series, known),
        categories=_categories(name, series, known),
        ordered=kind == "category" and bool(series.cat.ordered),
        least=_edge(kind, values, "min"),
        greatest=_edge(kind, values, "max"),
        words=_words(kind, values),
    )


def _kind(name: str, series: pd.Series, values: pd.Series) -> Kind:
    dtype: Any = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    kind = getattr(dtype, "kind", "O")
    if kind in _TEMPORAL:
        return _TEMPORAL[kind]
    if kind in _NUMERIC:
        return _NUMERIC[kind]
    kinds = {_kind_of(name, value) for value in values}
    return kinds.pop() if len(kinds) == 1 else "any"


def _kind_of(name: str, value: Any) -> Kind:
    kind = _PLAIN.get(type(value)) or _NAMED.get(type(value).__name__)
    if kind is None and isinstance(value, np.generic):
        kind = _PLAIN.get(type(value.item()))
    if kind is None:
        several = isinstance(value, list | tuple | set | dict | np.ndarray)
        why = "and a column takes single values" if several else "which JSON cannot represent"
        raise ModelUnloadable(
            f"column {name!r} of the sample holds a {type(value).__name__}, {why}"
        )
    return kind


def _null(series: pd.Series, known: list[Known]) -> Null:
    """The missing value of the training frame if a step knows it, else that of this series."""
    if told := next((step.null for step in known if step.null), None):
        return told
    if series.dtype == object:
        missing = series[series.isna()]
        return "none" if len(missing) and all(value is None for value in missing) else "nan"
    plain = pd.NaT if series.dtype.kind in _TEMPORAL else np.nan
    return _null_of(getattr(series.dtype, "na_value", plain))


def _null_of(value: Any) -> Null:
    if value is pd.NaT:
        return "nat"
    return "na" if value is pd.NA else "nan"


def _categories(name: str, series: pd.Series, known: list[Known]) -> tuple[Any, ...] | None:
    if isinstance(series.dtype, pd.CategoricalDtype):
        values = series.cat.categories.tolist()
        if not {type(value) for value in values} <= {int, float, str, bool}:
            raise ModelUnloadable(
                f"the categories of column {name!r} are of type {type(values[0]).__name__}; "
                "give them as text, numbers or booleans"
            )
        return tuple(values)
    found = [wire_value(value) for step in known for value in step.values or ()]
    return tuple(dict.fromkeys(found)) or None


def _edge(kind: Kind, values: pd.Series, name: str) -> float | str | None:
    """The smallest or greatest value (``name`` is "min" or "max"), if the type has an order."""
    if kind not in ("number", "datetime", "date", "decimal") or not len(values):
        return None
    found = getattr(values, name)()
    if kind in ("datetime", "date"):
        return str(found.isoformat())
    return None if is_missing(number := float(found)) or np.isinf(number) else number


def _words(kind: Kind, values: pd.Series) -> tuple[str, ...]:
    """Texts among the values that a CSV file would otherwise use for missing values."""
    if kind not in ("string", "any", "category"):
        return ()
    return tuple(sorted({value for value in values if isinstance(value, str)} & {*MISSING_TEXTS}))
