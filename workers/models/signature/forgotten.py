"""What files forget of a frame, found again where the steps of a model know of it."""

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


def candidates(frame: pd.DataFrame, known: Sequence[Known]) -> Iterator[pd.DataFrame]:
    """The sample as it is, then as it may have been before a file forgot what it held."""
    frame = _with_learned(_with_categories(_with_texts(frame, known), known), known)
    frame = _with_nulls(frame, known)
    yield frame
    if not (dated := _with_times(frame)).equals(frame):
        yield dated


def is_text(series: pd.Series) -> bool:
    """Whether all that is there is text."""
    values = series.dropna()
    return len(values) > 0 and all(isinstance(value, str) for value in values)


def _with_texts(frame: pd.DataFrame, known: Sequence[Known]) -> pd.DataFrame:
    """Text that looks like numbers or booleans, which CSV does not tell from them, as text."""
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
    """A whole number beside missing ones has become a float."""
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if is_whole else value)


def _with_categories(frame: pd.DataFrame, known: Sequence[Known]) -> pd.DataFrame:
    """Columns categorical that were so when the model was trained."""
    frame = frame.copy()
    for step in known:
        name = frame.columns[step.position]
        if step.categories and not isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = pd.Categorical(frame[name], categories=pd.Index(list(step.values or ())))
    return frame


def _with_learned(frame: pd.DataFrame, known: Sequence[Known]) -> pd.DataFrame:
    """Text of times, dates and decimals as encoders learned them."""
    for step in known:
        name, kind = frame.columns[step.position], _learned(step)
        if kind and is_text(frame[name]):
            with suppress(ValueError, ArithmeticError):
                array = array_of(Column(str(name), kind), [*map(wire_value, frame[name])])
                frame[name] = pd.Series(array)
    return frame


def _learned(step: Known) -> Kind | None:
    """The type of an encoder's values, where files have only text for it."""
    kinds = {_KINDS.get(type(value).__name__) for value in step.values or ()}
    return kinds.pop() if len(kinds) == 1 else None


def _with_nulls(frame: pd.DataFrame, known: Sequence[Known]) -> pd.DataFrame:
    """The missing value that steps know, in columns of text; others have one of their own."""
    for step in known:
        name = frame.columns[step.position]
        series = frame[name]
        # Parquet has None for all that is missing among objects; a column of text has NaN itself.
        has_room = series.dtype == object or (_is_textual(series) and step.null in ("none", "na"))
        if step.null and has_room and series.isna().any():
            frame[name] = series.astype(object).where(series.notna(), MISSING_VALUES[step.null])
    return frame


def _is_textual(series: pd.Series) -> bool:
    return isinstance(series.dtype, pd.StringDtype)


def _with_times(frame: pd.DataFrame) -> pd.DataFrame:
    """Text that is times everywhere as times."""
    return frame.apply(lambda series: _times(series) if is_text(series) else series)


def _times(series: pd.Series) -> pd.Series:
    try:
        return pd.to_datetime(series, format="ISO8601")
    except (ValueError, TypeError):
        return series
