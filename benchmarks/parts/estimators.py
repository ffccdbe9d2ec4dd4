"""Fourteen fitted estimators, with and without kernels, and rows for each."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from benchmarks.harness.models import FEATURES
from workers.models.kernels.trees.thresholds import rows_on_thresholds, splits_of

TRAINING_ROWS = 2_000
TREES = 100
CITIES = "Basel", "Bern", "Genf", "Zug"


class Fitted(msgspec.Struct, frozen=True):
    """An estimator, and what it was fitted on."""

    name: str
    model: Any
    rows: Callable[[int], Any]
    """Makes so many rows, always the same."""
    least_gain: float = 1.0
    """How many times faster than scikit-learn a call of one row must be."""


def fitted_estimators() -> Iterator[Fitted]:
    """Each estimator, fitted when it is asked for."""
    x, y = make_classification(TRAINING_ROWS, FEATURES, random_state=0)
    values = x[:, 0] * x[:, 1]
    for forest in (RandomForestClassifier, ExtraTreesClassifier):
        yield _of_trees(forest(TREES, random_state=0).fit(x, y))
    for forest in (RandomForestRegressor, ExtraTreesRegressor):
        yield _of_trees(forest(TREES, random_state=0).fit(x, values))
    several = RandomForestRegressor(TREES, random_state=0).fit(x, x[:, :2] ** 3)
    yield msgspec.structs.replace(_of_trees(several), name="RandomForestRegressor, two outputs")
    yield _of_trees(DecisionTreeClassifier(random_state=0).fit(x, y), 2.0)
    yield _of_trees(GradientBoostingClassifier(random_state=0).fit(x, y), 2.0)
    yield Fitted("HistGradientBoosting", HistGradientBoostingClassifier().fit(x, y), _floats, 5.0)
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    yield Fitted("StandardScaler, LogisticRegression", scaled, _floats, 1.2)
    yield Fitted("Ridge", Ridge().fit(x, values), _floats, 1.2)
    yield from _of_frames()
    forest = RandomForestClassifier(20, random_state=0)
    stack = StackingClassifier([("forest", forest), ("line", LogisticRegression())])
    yield Fitted("Stacking of forest and line", stack.fit(x, y), _floats, 1.2)
    network = MLPClassifier((64, 32), max_iter=20, random_state=0).fit(x, y)
    yield Fitted("MLPClassifier", network, _floats)


def _of_frames() -> Iterator[Fitted]:
    frame = _frame(TRAINING_ROWS)
    target = (frame.c0 > 0) ^ (frame.city == "Bern")
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    split = ColumnTransformer(
        [("numbers", numbers, [f"c{i}" for i in range(4)]), ("city", OneHotEncoder(), ["city"])]
    )
    linear = make_pipeline(split, LogisticRegression()).fit(frame, target)
    yield Fitted("frame: imputer, scaler, OneHot, LogisticRegression", linear, _frame, 5.0)
    boosted = HistGradientBoostingClassifier(categorical_features="from_dtype")
    typed = boosted.fit(_typed(TRAINING_ROWS), target)
    yield Fitted("frame: HistGradientBoosting with categories", typed, _typed, 5.0)


def _of_trees(model: Any, least_gain: float = 10.0) -> Fitted:
    """Its first rows have values on thresholds and next to them."""
    trees = np.ravel(getattr(model, "estimators_", [model])).tolist()
    near = rows_on_thresholds(splits_of(trees), FEATURES, nan_allowed=False)

    def rows(count: int) -> Any:
        made = _floats(count)
        made[: len(near)] = near[:count]
        return made

    return Fitted(type(model).__name__, model, rows, least_gain)


def _floats(count: int) -> Any:
    return np.random.default_rng(1).normal(size=(count, FEATURES))


def _frame(count: int) -> pd.DataFrame:
    random = np.random.default_rng(1)
    values = random.normal(size=(count, 4))
    values[random.random(values.shape) < 1 / 16] = np.nan
    frame = pd.DataFrame(values, columns=[f"c{i}" for i in range(4)])
    return frame.assign(city=random.choice(CITIES, count))


def _typed(count: int) -> pd.DataFrame:
    return _frame(count).assign(city=lambda frame: pd.Categorical(frame.city, categories=CITIES))
