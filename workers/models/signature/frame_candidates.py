"""Restores dtypes that a sample's file could not keep, from what the model's steps know."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import pandas as pd

from registry.manifest import Column, Kind
from workers.models.signature.knowledge import Known
from workers.models.signature.wire import wire_value
from workers.models.tabular.columns import array_of
from workers.models.tabular.dtypes import MISSING_VALUES

_KINDS: dict[str, Kind] = {
    "Timestamp": "datetime",
    "datetime": "datetime",
    "Timedelta": "duration",
    "timedelta": "duration",
    "date": "date",
    "Decimal": "decimal",
}


def frame_candidates(frame: pd.DataFrame, known: Sequence[Known]) -> Iterator[pd.DataFrame]:
    """Yield frames to try: the sample with what steps know restored, then with texts as times.

    The second only comes if a column of text holds nothing but times.
    """
    frame = _with_learned(_with_categories(_with_texts(frame, known), known), known)
    frame = _with_nulls(frame, known)
    yield frame
    if not (dated := _with_times(frame)).equals(frame):
        yield dated


def is_text(series: pd.Series) -> bool:
    """Whether a series has values and all of them are text."""
    values = series.dropna()
    return len(values) > 0 and all(isinstance(value, str) for value in values)


def _with_texts(frame: pd.DataFrame, known: Sequence[Known]) -> pd.DataFrame:
    """Turn numbers and booleans back to text where a step reads text; CSV does not tell."""
    frame = frame.copy()
    for step in known:
        name = frame.columns[step.position]
        if _reads_text(step) and frame[name].dtype.kind in "iufb":
            frame[name] = frame[name].map(_text, na_action="ignore").astype("str")
    return frame


def _reads_text(step: Known) -> bool:
    values = step.values or ()
    is_text = len(values) > 0 and all(isinstance(value, str) for value in values)
    return step.use == "string" or (is_text and not step.categories)


def _text(value: float | bool) -> str:
    """Text of a number. An integer in a column with missing values was read as a float."""
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if is_whole else value)


def _with_categories(frame: pd.DataFrame, known: Sequence[Known]) -> pd.DataFrame:
    """Make columns categorical that were so in the training frame."""
    frame = frame.copy()
    for step in known:
        name = frame.columns[step.position]
        if step.categories and not isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = pd.Categorical(frame[name], categories=pd.Index(list(step.values or ())))
    return frame


def _with_learned(frame: pd.DataFrame, known: Sequence[Known]) -> pd.DataFrame:
    """Convert text to times, dates and decimals where an encoder's values are of that type."""
    for step in known:
        name, kind = frame.columns[step.position], _learned(step)
        if kind and is_text(frame[name]):
            with suppress(ValueError, ArithmeticError):
                array = array_of(Column(str(name), kind), [*map(wire_value, frame[name])])
                frame[name] = pd.Series(array)
    return frame


def _learned(step: Known) -> Kind | None:
    """The type of an encoder's values, if it is one that files store as text."""
    kinds = {_KINDS.get(type(value).__name__) for value in step.values or ()}
    return kinds.pop() if len(kinds) == 1 else None


def _with_nulls(frame: pd.DataFrame, known: Sequence[Known]) -> pd.DataFrame:
    """Replace missing values by those that steps know, in columns of text or objects.

    Columns of any other dtype have a missing value of their own.
    """
    for step in known:
        name = frame.columns[step.position]
        series = frame[name]
        # Parquet gives None for every missing object. pandas' text dtype already has NaN.
        is_open = series.dtype == object or (_is_textual(series) and step.null in ("none", "na"))
        if step.null and is_open and series.isna().any():
            frame[name] = series.astype(object).where(series.notna(), MISSING_VALUES[step.null])
    return frame


def _is_textual(series: pd.Series) -> bool:
    return isinstance(series.dtype, pd.StringDtype)


def _with_times(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert columns of text to times if every value is one."""
    return frame.apply(lambda series: _times(series) if is_text(series) else series)


def _times(series: pd.Series) -> pd.Series:
    try:
        return pd.to_datetime(series, format="ISO8601")
    except (ValueError, TypeError):
        return series
