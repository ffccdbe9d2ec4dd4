"""Random columns: of one kind, with or without missing and unseen values."""

import math
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import pandas as pd

from benchmarks.equality.generator.kinds import KINDS, Kind

NAMES = (
    *("age", "first name", "a,b", 'say "so"', "größe", "名前", "it's", "a.b", "x0", " led", "id"),
    *("custom_id", "two\nlines", "1", "", "index", "NA", "row", "plain", "other", "last"),
)
"""Names of columns; a job also takes its ids from ``custom_id``."""
TAME = tuple(name for name in NAMES if name.replace(" ", "").isalnum())
"""Names that LightGBM and XGBoost accept."""


class Column(msgspec.Struct, frozen=True):
    """One column of a case."""

    name: str
    kind: Kind
    values: tuple[Any, ...]
    strangers: tuple[Any, ...]
    """Values that occur only in the fresh frame."""
    nulls: bool
    """Whether the training frame has missing values here."""

    @property
    def family(self) -> str:
        """See `Kind`."""
        return self.kind.family

    def training(self, random: Random, rows: int) -> pd.Series:
        """Values to train on; some of the first rows are missing, so that the sample has some."""
        found = [_one(random, self, self.values) for _ in range(rows)]
        if self.nulls:
            found = [None if n == 1 or random.random() < 0.2 else v for n, v in enumerate(found)]
        return self.held(found)

    def fresh(self, random: Random, rows: int, *, strange: bool, nulls: bool) -> pd.Series:
        """Values to predict; ``strange`` and ``nulls`` allow unseen and missing values."""
        nulls = self.nulls or (nulls and not self.kind.ambiguous)
        found = [_one(random, self, self.values) for _ in range(rows)]
        if strange and self.strangers:
            some = self.strangers[: 1 if self.family == "category" else None]
            found = [random.choice(some) if random.random() < 0.25 else v for v in found]
        if nulls:
            found = [None if random.random() < 0.15 else value for value in found]
        return self.held(found)

    def held(self, values: Sequence[Any]) -> pd.Series:
        """Values as a pandas series; unseen categories come after the known ones."""
        if self.family != "category":
            series = self.kind.hold(values)
            return series.astype(self.kind.holed) if self.nulls and self.kind.holed else series
        categories = [*self.values, *(value for value in self.strangers if value in values)]
        ordered = self.kind.name == "category, ordered"
        return pd.Series(pd.Categorical(values, pd.Index([*categories]), ordered=ordered))


def columns(random: Random) -> list[Column]:
    """One to seven columns, mostly few."""
    count = min(random.randint(1, 7), random.randint(1, 7))
    names = random.sample(NAMES, count)
    return [column(random, name, random.choice(KINDS)) for name in names]


def column(random: Random, name: str, kind: Kind) -> Column:
    """A column of a kind; some are constant."""
    few = 1 if random.random() < 0.05 else random.randint(2, 5)
    drawn = kind.draw(random, few + 2)
    values, strangers = drawn[:few], drawn[few:]
    if kind.family == "boolean" or kind.name == "category of bool":
        values, strangers = drawn, []
    if kind.name.startswith("float") and random.random() < 0.1:
        strangers = [math.inf, *strangers]
    if kind.name == "category of int":
        values = sorted(values)
    return Column(name, kind, tuple(values), tuple(strangers), random.random() < 0.4)


def framed(columns: Sequence[Column], made: Sequence[pd.Series]) -> pd.DataFrame:
    """A frame of these columns."""
    return pd.DataFrame({c.name: series for c, series in zip(columns, made, strict=True)})


def strange_row(random: Random) -> pd.DataFrame:
    """A row with columns that no model has."""
    kinds = random.sample(KINDS, random.randint(0, 3))
    found = [column(random, f"extra {index}", kind) for index, kind in enumerate(kinds)]
    return pd.DataFrame({each.name: each.training(random, 1) for each in found}, index=[0])


def _one(random: Random, column: Column, values: tuple[Any, ...]) -> Any:
    if not column.kind.free:
        return random.choice(values)
    return column.values[0] if len(values) == 1 else column.kind.draw(random, 1)[0]
