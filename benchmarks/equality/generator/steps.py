"""Random preprocessing: imputers, encoders, scalers, vectorizers and functions."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from benchmarks.equality.generator import functions
from benchmarks.equality.generator.columns import Column

Step = Any
Make = Callable[[], Step]

IMPUTERS: tuple[Make, ...] = (
    SimpleImputer,
    lambda: SimpleImputer(strategy="median", add_indicator=True),
    lambda: SimpleImputer(strategy="most_frequent"),
    lambda: SimpleImputer(strategy="constant", fill_value=-1),
    lambda: KNNImputer(n_neighbors=2),
    lambda: FeatureUnion(
        [("filled", SimpleImputer()), ("which", MissingIndicator(features="all"))]
    ),
)
SCALERS: tuple[Make, ...] = (
    *(StandardScaler, MinMaxScaler, RobustScaler, MaxAbsScaler),
    lambda: QuantileTransformer(n_quantiles=10),
    lambda: KBinsDiscretizer(3, encode="onehot-dense", quantile_method="linear"),
    lambda: KBinsDiscretizer(3, encode="ordinal", strategy="uniform"),
    lambda: PolynomialFeatures(2),
    lambda: Pipeline([("scale", StandardScaler()), ("pca", PCA(1, random_state=0))]),
    lambda: FeatureUnion([("scale", StandardScaler()), ("same", FunctionTransformer())]),
)
ENCODERS: tuple[Make, ...] = (
    lambda: OneHotEncoder(handle_unknown="ignore"),
    lambda: OneHotEncoder(handle_unknown="error", sparse_output=False),
    lambda: OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5),
    lambda: OneHotEncoder(handle_unknown="ignore", drop="if_binary"),
    OrdinalEncoder,
    lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    lambda: OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    ),
    lambda: TargetEncoder(cv=2, random_state=0),
    lambda: Pipeline(
        [("one", OneHotEncoder(handle_unknown="ignore")), ("svd", TruncatedSVD(1, random_state=0))]
    ),
)
VECTORIZERS: tuple[Make, ...] = (
    TfidfVectorizer,
    lambda: CountVectorizer(ngram_range=(1, 2), max_features=20),
    lambda: HashingVectorizer(n_features=16),
    lambda: TfidfVectorizer(analyzer="char", max_features=20),
)
_FUNCTIONS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], ...]] = {
    "time": (functions.seconds, functions.ticks, functions.hours),
    "duration": (functions.seconds, functions.ticks),
    "date": (functions.ordinals,),
    "decimal": (functions.floats,),
    "text": (functions.lengths,),
    "category": (functions.codes,),
}
_FILLED = {"text": "missing", "category": "missing"}
"""Fill value of a constant imputer by column family."""


def preprocessing(random: Random, columns: Sequence[Column]) -> ColumnTransformer:
    """A transformer that turns the columns into a matrix, and drops some."""
    parts = [
        (f"part {index}", *_part(random, group))
        for index, group in enumerate(_groups(random, columns))
    ]
    sparse = random.choice([0, 0, 0.3])
    return ColumnTransformer(parts, remainder="drop", sparse_threshold=sparse)


def encoder(random: Random) -> Step:
    """A random one of `ENCODERS`."""
    return random.choice(ENCODERS)()


def numeric(random: Random, *, nulls: bool) -> list[Step]:
    """Steps for numbers: an imputer, mostly if some are missing, and a scaler."""
    steps = [random.choice(IMPUTERS)()] if random.random() < (0.9 if nulls else 0.3) else []
    return [*steps, random.choice(SCALERS)()]


def vectorizer(random: Random) -> Step:
    """A random one of `VECTORIZERS`."""
    return random.choice(VECTORIZERS)()


def chained(steps: Sequence[Step]) -> Step:
    """Combine steps into one."""
    if not steps:
        return "passthrough"
    if len(steps) == 1:
        return steps[0]
    return Pipeline([(f"step {index}", step) for index, step in enumerate(steps)])


def _groups(random: Random, columns: Sequence[Column]) -> list[list[Column]]:
    """Group columns by family; the last may be left out, and so be unused."""
    used = list(columns)
    if len(used) > 1 and random.random() < 0.2:
        used.pop()
    groups: list[list[Column]] = []
    for column in used:
        fitting = [g for g in groups if g[0].family == column.family != "sentence"]
        if fitting and random.random() < 0.6:
            random.choice(fitting).append(column)
        else:
            groups.append([column])
    return groups


def _part(random: Random, group: list[Column]) -> tuple[Step, Any]:
    family, names = group[0].family, [column.name for column in group]
    nulls = any(column.nulls for column in group)
    if family == "sentence":
        return vectorizer(random), names[0]
    if family == "number" and random.random() < 0.8:
        steps = [] if random.random() < 0.2 else numeric(random, nulls=nulls)
        return chained(steps), names
    if family == "boolean" and random.random() < 0.3:
        return "passthrough", names
    if family in _FUNCTIONS and random.random() < (0.2 if family in _FILLED else 0.7):
        function = FunctionTransformer(random.choice(_FUNCTIONS[family]))
        return chained([function, *([SimpleImputer()] if nulls else [])]), names
    return chained([*_filling(random, group, nulls=nulls), encoder(random)]), names


def _filling(random: Random, group: list[Column], *, nulls: bool) -> list[Step]:
    """An imputer for values other than numbers, or none."""
    family = group[0].family
    if not nulls or family not in ("text", "category", "boolean") or random.random() < 0.5:
        return []
    missing = _missing(group[0])
    if random.random() < 0.5 or family not in _FILLED:
        return [SimpleImputer(strategy="most_frequent", missing_values=missing)]
    fill = _FILLED[family]
    return [SimpleImputer(strategy="constant", fill_value=fill, missing_values=missing)]


def _missing(column: Column) -> Any:
    if column.kind.name in ("object with None", "bool"):
        return None
    return pd.NA if column.kind.name in ("string", "boolean") else np.nan
