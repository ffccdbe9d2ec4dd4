"""A realistic model: optional text, booleans, and an unused date and id."""

import os
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ROWS = 60


def people(seed: int = 0) -> pd.DataFrame:
    """A frame of such rows; a quarter of the cities are missing."""
    chance = np.random.default_rng(seed)
    city = chance.choice(["Paris", "Oslo", "Rome", None], ROWS)
    return pd.DataFrame(
        {
            "id": [f"u{number:03}" for number in range(ROWS)],
            "city": city,
            "age": chance.integers(18, 80, ROWS),
            "income": np.where(chance.random(ROWS) < 0.2, np.nan, chance.normal(50, 9, ROWS)),
            "member": chance.random(ROWS) < 0.5,
            "since": pd.Timestamp("2024-05-01")
            + pd.to_timedelta(chance.integers(0, 99, ROWS), "D"),
        }
    )


def churn() -> Any:
    """A calibrated pipeline fitted on `people`."""
    city = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer(
        (city, ["city"]), (numbers, ["age", "income"]), ("passthrough", ["member"])
    )
    rows = people()
    left = (rows["age"] > 45) ^ (rows["city"] == "Oslo")
    return CalibratedClassifierCV(make_pipeline(columns, LogisticRegression()), cv=3).fit(
        rows, left
    )


class Moody(BaseEstimator):
    """Answers differently in each process, so the gate refutes it."""

    n_features_in_ = 1

    def predict(self, x: Any) -> Any:
        return np.full(len(x), os.getpid())
