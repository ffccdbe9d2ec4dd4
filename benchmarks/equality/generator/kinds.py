"""Kinds of columns: their values and their dtypes in pandas."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Literal

import msgspec
import numpy as np
import pandas as pd

Family = Literal[
    "number", "boolean", "text", "category", "time", "duration", "date", "decimal", "sentence"
]
Values = Sequence[Any]
"""None means missing."""
Draw = Callable[[Random, int], list[Any]]
"""Draws so many different values."""

AWKWARD = (
    *("NA", "None", "null", "nan", "1", "01", "true", "False", "", " ", "-0", "1e3", "é", "日本"),
    *("a,b", 'say "so"', "two\nlines", "it's", "tab\there", "\\N", "2024-01-01", "<NA>", "🙂"),
)
"""Texts that some readers take for another type."""
WORDS = ("red", "green", "blue", "small", "large", "north", "south", "oak", "elm", "Straße")


class Kind(msgspec.Struct, frozen=True):
    """A kind of column."""

    name: str
    family: Family
    draw: Draw
    """Draws the few values from which a column's are chosen."""
    hold: Callable[[Values], pd.Series]
    ambiguous: bool = False
    """Whether the missing value may be None or NaN, whatever the dtype."""
    holed: str = ""
    """The dtype that pandas uses instead if values are missing, since NumPy's has none."""
    free: bool = False
    """Whether each row has its own value instead of one of a few."""


def _floats(random: Random, count: int) -> list[Any]:
    return [random.gauss(0, 10) for _ in range(count)]


def _singles(random: Random, count: int) -> list[Any]:
    return [float(np.float32(value)) for value in _floats(random, count)]


def _whole(least: int, most: int) -> Draw:
    return lambda random, count: random.sample(range(least, most), count)


def _large(random: Random, count: int) -> list[Any]:
    """Integers beyond 2**53; even ones, which a double represents exactly."""
    return [2**53 + 2 * number for number in random.sample(range(1, 100), count)]


def _booleans(_: Random, count: int) -> list[Any]:
    return [True, False][:count]


def _texts(random: Random, count: int) -> list[Any]:
    awkward = random.randrange(3)
    return [*random.sample(AWKWARD, min(awkward, count)), *random.sample(WORDS, count)][:count]


def _sentences(random: Random, count: int) -> list[Any]:
    return [" ".join(random.choices([*WORDS, *AWKWARD[5:]], k=6)) + " end" for _ in range(count)]


def _times(step: timedelta) -> Draw:
    def draw(random: Random, count: int) -> list[Any]:
        start = pd.Timestamp("2021-03-04 05:06:07")
        return [start + number * step for number in random.sample(range(10_000), count)]

    return draw


def _spans(random: Random, count: int) -> list[Any]:
    return [timedelta(seconds=n * 61, milliseconds=n) for n in random.sample(range(10_000), count)]


def _days(random: Random, count: int) -> list[Any]:
    return [date(2020, 1, 1) + timedelta(days=n) for n in random.sample(range(2000), count)]


def _decimals(random: Random, count: int) -> list[Any]:
    return [Decimal(n) / 100 for n in random.sample(range(-9999, 9999), count)]


def _plain(dtype: str, other: str) -> Callable[[Values], pd.Series]:
    """A column of a NumPy dtype; with missing values of another dtype."""

    def hold(values: Values) -> pd.Series:
        return pd.Series(values, dtype=other if None in values else dtype)

    return hold


def _of(dtype: str) -> Callable[[Values], pd.Series]:
    return lambda values: pd.Series(pd.array(list(values), dtype=dtype))


def _objects(missing: Any) -> Callable[[Values], pd.Series]:
    return lambda values: pd.Series(
        [missing if value is None else value for value in values], dtype=object
    )


def _moments(dtype: str) -> Callable[[Values], pd.Series]:
    zone = dtype.partition(", ")[2].rstrip("]")

    def hold(values: Values) -> pd.Series:
        times = pd.Series(pd.to_datetime(list(values)))
        return (times.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else times).astype(dtype)

    return hold


def _durations(dtype: str) -> Callable[[Values], pd.Series]:
    return lambda values: pd.Series(pd.to_timedelta(list(values))).astype(dtype)


def _categories(values: Values) -> pd.Series:
    return pd.Series(values, dtype="category")


_SECOND, _MICRO = timedelta(seconds=3601), timedelta(microseconds=1_000_003)
KINDS = (
    Kind("float64", "number", _floats, _of("float64"), free=True),
    Kind("float64 of few", "number", _floats, _of("float64")),
    Kind("float32", "number", _singles, _of("float32"), free=True),
    Kind("int64", "number", _whole(-50, 50), _plain("int64", "float64"), holed="float64"),
    Kind("int64, large", "number", _large, _plain("int64", "float64"), holed="float64"),
    Kind("int8", "number", _whole(-128, 128), _plain("int8", "float64"), holed="float64"),
    Kind("uint16", "number", _whole(0, 2**16), _plain("uint16", "float64"), holed="float64"),
    Kind("bool", "boolean", _booleans, _plain("bool", "object"), True, "object"),
    Kind("Int64", "number", _whole(-50, 50), _of("Int64")),
    Kind("Float64", "number", _floats, _of("Float64"), free=True),
    Kind("boolean", "boolean", _booleans, _of("boolean")),
    Kind("str", "text", _texts, _of("str")),
    Kind("object with NaN", "text", _texts, _objects(np.nan), ambiguous=True),
    Kind("object with None", "text", _texts, _objects(None), ambiguous=True),
    Kind("string", "text", _texts, _of("string")),
    Kind("sentences", "sentence", _sentences, _of("str"), free=True),
    Kind("category of str", "category", _texts, _categories),
    Kind("category of int", "category", _whole(-50, 50), _categories),
    Kind("category of bool", "category", _booleans, _categories),
    Kind("category, ordered", "category", _texts, _categories),
    Kind("datetime64[ns]", "time", _times(_MICRO), _moments("datetime64[ns]")),
    Kind("datetime64[us]", "time", _times(_MICRO), _moments("datetime64[us]")),
    Kind("datetime64[s]", "time", _times(_SECOND), _moments("datetime64[s]")),
    Kind("datetime64[ns, zone]", "time", _times(_MICRO), _moments("datetime64[ns, Europe/Berlin]")),
    Kind("datetime64[us, UTC]", "time", _times(_MICRO), _moments("datetime64[us, UTC]")),
    Kind("timedelta64[ns]", "duration", _spans, _durations("timedelta64[ns]")),
    Kind("timedelta64[us]", "duration", _spans, _durations("timedelta64[us]")),
    Kind("date", "date", _days, _objects(None), ambiguous=True),
    Kind("Decimal", "decimal", _decimals, _objects(None), ambiguous=True),
)
