"""Models as data scientists train them: on frames, with missing values, in pipelines."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - the import enables the class
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import BayesianRidge, LogisticRegression, Ridge
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)

from benchmarks.zoo.exhibit import Exhibit, Make
from benchmarks.zoo.exhibits import frames, own

_FRESH = frames.FRESH
_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=3)


def _strange(frame: Any, **values: Any) -> Any:
    """A frame with these values in its first rows."""
    frame = frame.copy()
    for name, value in values.items():
        frame[name] = frame[name].astype(frame[name].dtype)
        frame.loc[frame.index[0], name] = value
    return frame


def titanic_with_everything() -> Exhibit:
    """Words of names, title and deck by a function, the median age with an indicator."""
    frame = frames.titanic()
    made = make_pipeline(
        FunctionTransformer(own.title_and_deck), OneHotEncoder(handle_unknown="ignore")
    )
    encode = make_column_transformer(
        (CountVectorizer(max_features=12), "Name"),
        (made, ["Name", "Cabin", "SibSp", "Parch"]),
        (SimpleImputer(strategy="median", add_indicator=True), ["Age", "Fare"]),
        (_hot, ["Sex", "Embarked", "Pclass"]),
    )
    forest = RandomForestClassifier(20, random_state=0)
    model = make_pipeline(encode, forest).fit(frame, frames.survived(frame))
    fresh = _strange(frames.titanic(_FRESH, 1), Embarked="X", Cabin="T", Sex="unknown")
    return Exhibit(model, frame, fresh)


def house_prices_of_thirty_columns() -> Exhibit:
    """Ordinal marks with an order of their own, and all else by selectors of dtypes."""
    frame = frames.houses()
    marks = [name for name in frame if name.endswith("Qual")]
    words = ["Neighborhood", "Street", "CentralAir", "MSZoning"]
    ordinal = OrdinalEncoder(
        categories=[["Po", "Fa", "TA", "Gd", "Ex"]] * len(marks),
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        encoded_missing_value=-2,
    )
    encode = ColumnTransformer(
        [("marks", ordinal, marks), ("words", _hot, words)],
        remainder=make_pipeline(SimpleImputer(), StandardScaler()),
    )
    model = make_pipeline(encode, Ridge()).fit(frame, frames.prices(frame))
    fresh = _strange(frames.houses(_FRESH, 1), Neighborhood="Elsewhere", KitchenQual="?", Lot0=None)
    return Exhibit(model, frame, fresh)


def credit_by_ordered_bins() -> Exhibit:
    """Bins as an ordered category, booleans, and one that may be missing."""
    frame = frames.borrowers()
    encode = make_column_transformer(
        (OrdinalEncoder(), ["age_bin"]),
        (OneHotEncoder(handle_unknown="ignore"), ["owns_home", "purpose"]),
        ("passthrough", ["employed", "loans"]),
        (SimpleImputer(), ["income"]),
    )
    boosted = GradientBoostingClassifier(n_estimators=20, random_state=0)
    model = make_pipeline(encode, boosted).fit(frame, frames.defaulted(frame))
    fresh = frames.borrowers(_FRESH, 1)
    fresh["purpose"] = fresh["purpose"].cat.add_categories("boat")
    return Exhibit(model, frame, _strange(fresh, purpose="boat"))


def churn_by_dates() -> Exhibit:
    """A function over the whole frame: ratios, parts of dates, text."""
    frame = frames.customers()
    model = make_pipeline(
        FunctionTransformer(own.features_of_customers),
        SimpleImputer(strategy="median"),
        RandomForestClassifier(20, random_state=0),
    ).fit(frame, frames.churned(frame))
    return Exhibit(model, frame, frames.customers(_FRESH, 1))


def transformer_of_ones_own() -> Exhibit:
    """A class in a module of the user's, which wants a frame."""
    frame = frames.titanic()[["Age", "Fare", "Sex", "Pclass"]]
    scale = make_pipeline(own.Winsorizer(0.1), StandardScaler())
    model = make_pipeline(scale, LogisticRegression()).fit(
        frame, np.where(frames.survived(frame), "yes", "no")
    )
    return Exhibit(model, frame, frames.titanic(_FRESH, 1)[[*frame.columns]])


def target_encoding_in_a_search() -> Exhibit:
    """Target encoding and a logarithm of the target, in a search."""
    frame = frames.houses()[["Neighborhood", "MSZoning", "Area5", "Count1"]]
    encode = make_column_transformer(
        (TargetEncoder(random_state=0), ["Neighborhood", "MSZoning"]), remainder=StandardScaler()
    )
    target = TransformedTargetRegressor(
        make_pipeline(encode, Ridge()), func=np.log1p, inverse_func=np.expm1
    )
    grid = {"regressor__ridge__alpha": [0.1, 1.0, 10.0]}
    model = RandomizedSearchCV(target, grid, n_iter=2, cv=3, random_state=0)
    model.fit(frame, frames.prices(frame))
    fresh = frames.houses(_FRESH, 1)[[*frame.columns]]
    return Exhibit(model, frame, _strange(fresh, Neighborhood="Elsewhere", MSZoning=None))


def iterative_imputation() -> Exhibit:
    """Each column from the others."""
    frame = frames.sensors()
    model = make_pipeline(IterativeImputer(random_state=0, max_iter=4), BayesianRidge())
    model.fit(frame, frame["s0"].fillna(0) * 2 + 1)
    return Exhibit(model, frame, frames.sensors(_FRESH, 1))


def union_of_text_and_numbers() -> Exhibit:
    """A feature union that picks its columns by name."""
    words = frames.texts()
    draw = frames.chance(3)
    frame = pd.DataFrame({"review": words, "stars": draw.integers(1, 6, len(words))})
    frame["helpful"] = draw.random(len(words))
    union = FeatureUnion(
        [
            ("words", make_pipeline(own.Picker("review"), CountVectorizer())),
            ("numbers", make_pipeline(own.Picker(["stars", "helpful"]), StandardScaler())),
        ]
    )
    model = make_pipeline(union, LogisticRegression()).fit(frame, frames.telling(words))
    fresh = frame.tail(_FRESH).reset_index(drop=True).assign(review=frames.texts(_FRESH, 1))
    return Exhibit(model, frame, _strange(fresh, review="12"))


def nested_column_transformers() -> Exhibit:
    """A column transformer in a pipeline in a column transformer."""
    frame = frames.titanic()
    numbers = make_column_transformer(
        (SimpleImputer(strategy="mean"), ["Age"]), ("passthrough", ["Fare"])
    )
    inner = make_column_transformer(
        (make_pipeline(numbers, StandardScaler()), ["Age", "Fare"]),
        (OneHotEncoder(handle_unknown="ignore"), ["Pclass"]),
    )
    outer = make_column_transformer(
        (inner, ["Age", "Fare", "Pclass"]), (_hot, ["Embarked", "Sex"]), remainder="drop"
    )
    model = make_pipeline(outer, LogisticRegression()).fit(frame, frames.survived(frame))
    fresh = _strange(frames.titanic(_FRESH, 1), Embarked="Z", Pclass=9)
    return Exhibit(model, frame, fresh)


def neighbours_impute_with_indicators() -> Exhibit:
    """Missing numbers by neighbours; that they were missing is a feature."""
    frame = frames.sensors()
    labels = np.where(frame["s1"].fillna(0) > 0, "up", "down")
    model = make_pipeline(
        KNNImputer(add_indicator=True), StandardScaler(), GradientBoostingClassifier(n_estimators=9)
    ).fit(frame, labels)
    return Exhibit(model, frame, frames.sensors(_FRESH, 1))


def objects_of_values() -> Exhibit:
    """Fitted on ``frame.values``, an array of objects, with columns by position."""
    frame = frames.titanic()[["Sex", "Age", "Pclass", "Fare"]]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), [0, 2]), (SimpleImputer(), [1, 3])
    )
    model = make_pipeline(encode, LogisticRegression(max_iter=500))
    model.fit(frame.to_numpy(), frames.survived(frame))
    fresh = _strange(frames.titanic(_FRESH, 1)[[*frame.columns]], Sex="unknown", Pclass=7)
    return Exhibit(model, frame, fresh, "values")


def nullable_dtypes() -> Exhibit:
    """Int64, boolean and string, with ``pandas.NA`` among them."""
    frame = _nullable(frames.ROWS, 0)
    fill = SimpleImputer(missing_values=pd.NA, strategy="most_frequent")
    encode = make_column_transformer(
        (make_pipeline(fill, OneHotEncoder(handle_unknown="ignore")), ["city"]),
        (SimpleImputer(strategy="median", add_indicator=True), ["visits", "score", "member"]),
    )
    model = make_pipeline(encode, LogisticRegression())
    model.fit(frame, (frame["visits"].fillna(0) > 4).to_numpy(bool))
    return Exhibit(model, frame, _strange(_nullable(_FRESH, 1), city="Nowhere"))


def _nullable(rows: int, seed: int) -> Any:
    draw = frames.chance(seed)
    plain = pd.DataFrame(
        {
            "city": frames.holed(draw.choice(["Bern", "Graz"], rows), 0.2, draw, None),
            "member": frames.holed(draw.random(rows) < 0.5, 0.2, draw, None),
            "visits": frames.holed(draw.integers(0, 9, rows), 0.2, draw, None),
            "score": frames.holed(draw.random(rows), 0.2, draw, None),
        }
    )
    kinds = {"city": "string", "member": "boolean", "visits": "Int64", "score": "Float64"}
    return plain.astype(kinds)


EXHIBITS: tuple[Make, ...] = (
    titanic_with_everything,
    house_prices_of_thirty_columns,
    credit_by_ordered_bins,
    churn_by_dates,
    transformer_of_ones_own,
    target_encoding_in_a_search,
    iterative_imputation,
    union_of_text_and_numbers,
    nested_column_transformers,
    neighbours_impute_with_indicators,
    objects_of_values,
    nullable_dtypes,
)
