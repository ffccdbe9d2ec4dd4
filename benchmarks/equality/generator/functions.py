"""Functions for a `FunctionTransformer`, as people write them for dates, decimals and texts."""

from datetime import date

import numpy as np
import pandas as pd

START = date(2021, 3, 4)


def seconds(frame: pd.DataFrame) -> pd.DataFrame:
    """Times as seconds since a day, with a zone or without; durations as seconds."""
    return frame.apply(_seconds).astype(float)


def ticks(frame: pd.DataFrame) -> pd.DataFrame:
    """What is left of the whole numbers that times and durations are stored as."""
    return frame.apply(lambda series: series.astype("int64") % 1009)


def hours(frame: pd.DataFrame) -> pd.DataFrame:
    """The hour of the day, by the clock of the column's zone."""
    return frame.apply(lambda series: series.dt.hour).astype(float)


def ordinals(frame: pd.DataFrame) -> pd.DataFrame:
    """Dates as numbers of days."""
    return frame.map(lambda day: np.nan if day is None else float((day - START).days))


def floats(frame: pd.DataFrame) -> pd.DataFrame:
    """Decimals as floats; tenfold, so that nothing but decimals does."""
    return frame.map(lambda value: np.nan if value is None else float(value.scaleb(1)))


def lengths(frame: pd.DataFrame) -> pd.DataFrame:
    """The number of letters."""
    return frame.apply(lambda series: series.str.len()).astype(float)


def codes(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as pandas numbers them."""
    return frame.apply(lambda series: series.cat.codes).astype(float)


def _seconds(series: pd.Series) -> pd.Series:
    if series.dtype.kind == "m":
        return series.dt.total_seconds()
    start = pd.Timestamp(START, tz=series.dt.tz)
    return (series - start).dt.total_seconds()
