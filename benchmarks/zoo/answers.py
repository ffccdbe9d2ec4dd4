"""Models with unusual outputs: labels of every kind, frames, lists, distances."""

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from benchmarks.zoo.exhibit import Exhibit, Make
from benchmarks.zoo.exhibits import frames, own

_FRESH = frames.FRESH


def _numbers() -> Any:
    """One column of floats with gaps, one whole, one text."""
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["Age", "Fare"]),
        (OneHotEncoder(handle_unknown="ignore"), ["Sex"]),
    )


def several_labels_of_a_text() -> Exhibit:
    """Hashed words, three labels at once: probabilities are a list of arrays."""
    words = frames.texts()
    labels = np.array([[w in text for w in ("good", "plot", "film")] for text in words], dtype=int)
    model = make_pipeline(
        HashingVectorizer(n_features=64), RandomForestClassifier(10, random_state=0)
    ).fit(words, labels)
    fresh = [*frames.texts(_FRESH - 3, 1), "", "NA", "7"]
    return Exhibit(
        model, pd.DataFrame({"text": words}), pd.DataFrame({"text": fresh}), form="texts"
    )


def anomalies() -> Exhibit:
    """An isolation forest over a frame; it scores samples."""
    frame = frames.titanic()
    model = make_pipeline(_numbers(), IsolationForest(n_estimators=20, random_state=0)).fit(frame)
    return Exhibit(model, frame, frames.titanic(_FRESH, 1))


def clusters() -> Exhibit:
    """Clusters of a frame; `transform` gives distances."""
    frame = frames.titanic()
    model = make_pipeline(_numbers(), KMeans(4, n_init=2, random_state=0)).fit(frame)
    return Exhibit(model, frame, frames.titanic(_FRESH, 1))


def isotonic_calibration() -> Exhibit:
    """A forest, calibrated by isotonic regression, behind a column transformer."""
    frame = frames.titanic()
    forest = CalibratedClassifierCV(
        RandomForestClassifier(10, random_state=0), method="isotonic", cv=3
    )
    model = make_pipeline(_numbers(), forest).fit(frame, frames.survived(frame).astype("int8"))
    return Exhibit(model, frame, frames.titanic(_FRESH, 1))


def monotonic_boosting() -> Exhibit:
    """Histogram boosting with constraints by name, on columns with gaps and whole numbers."""
    frame = frames.titanic()[["Age", "Fare", "SibSp"]]
    model = HistGradientBoostingRegressor(
        max_iter=20, monotonic_cst={"Fare": 1, "Age": -1}, random_state=0
    ).fit(frame, frame["Fare"] - frame["Age"].fillna(30) + frame["SibSp"])
    fresh = frames.titanic(_FRESH, 1)[[*frame.columns]]
    return Exhibit(model, frame, fresh.assign(SibSp=fresh["SibSp"].where(fresh.index > 2)))


def boolean_labels() -> Exhibit:
    """`predict` gives booleans."""
    frame = frames.borrowers()
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["age_bin", "owns_home", "employed"]),
        (SimpleImputer(add_indicator=True), ["income"]),
    )
    model = make_pipeline(encode, DecisionTreeClassifier(max_depth=5, random_state=0))
    model.fit(frame, frames.defaulted(frame) == "paid")
    return Exhibit(model, frame, frames.borrowers(_FRESH, 1))


def dates_as_answers() -> Exhibit:
    """`predict` gives dates, and not a time where the input has none."""
    frame = frames.customers()
    model = own.NextVisit().fit(frame, frame["orders"])
    return Exhibit(model, frame, frames.customers(_FRESH, 1))


def rules_without_a_base() -> Exhibit:
    """A class of plain Python that wants a frame and gives lists and frames."""
    fresh = frames.borrowers(_FRESH, 1)
    fresh["purpose"] = fresh["purpose"].astype(str).where(fresh.index != 1, "boat")
    sample = frames.borrowers()
    sample["purpose"] = sample["purpose"].astype(str)
    return Exhibit(own.Scorecard(), sample, fresh)


def frames_as_answers() -> Exhibit:
    """`predict` gives a frame of a forecast and its bounds."""
    draw = frames.chance(0)
    frame = pd.DataFrame({"store": draw.integers(1, 6, 90), "promo": draw.random(90) < 0.3})
    model = own.Forecaster().fit(frame, pd.Series(draw.gamma(3, 100, 90)))
    fresh = pd.DataFrame({"store": [1, 2, 3, 99], "promo": [True, False, True, False]})
    return Exhibit(model, frame, fresh)


def pandas_inside() -> Exhibit:
    """Steps hand each other frames, and choose columns by the names that these have there."""
    frame = frames.titanic()
    encode = make_column_transformer(
        (SimpleImputer(strategy="median"), ["Age", "Fare"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["Sex", "Embarked"]),
        verbose_feature_names_out=False,
    )
    again = make_column_transformer((StandardScaler(), ["Age", "Fare"]), remainder="passthrough")
    model = make_pipeline(encode, again, LogisticRegression()).set_output(transform="pandas")
    model.fit(frame, np.where(frames.survived(frame), "yes", "no"))
    return Exhibit(model, frame, frames.titanic(_FRESH, 1).assign(Embarked="Z"))


def booster_by_itself() -> Exhibit:
    """LightGBM's Booster, without an estimator around it, on numbers with gaps and booleans."""
    frame = frames.titanic()[["Age", "Fare", "Pclass"]]
    frame["alone"] = frames.titanic()["SibSp"] == 0
    data = lightgbm.Dataset(frame, frames.survived(frames.titanic()))
    model = lightgbm.train({"objective": "binary", "verbose": -1, "num_leaves": 5}, data, 10)
    fresh = frames.titanic(_FRESH, 1)[["Age", "Fare", "Pclass"]]
    return Exhibit(model, frame, fresh.assign(alone=[True, False] * (_FRESH // 2)))


EXHIBITS: tuple[Make, ...] = (
    several_labels_of_a_text,
    anomalies,
    clusters,
    isotonic_calibration,
    monotonic_boosting,
    boolean_labels,
    dates_as_answers,
    rules_without_a_base,
    frames_as_answers,
    pandas_inside,
    booster_by_itself,
)
