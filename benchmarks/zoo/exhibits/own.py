"""Classes and functions in a module of the user's own, as pickles of models refer to them."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin


def title_and_deck(frame: Any) -> Any:
    """Columns that notebooks make of names and cabins."""
    return pd.DataFrame(
        {
            "title": frame["Name"].str.extract(r" (\w+)\.", expand=False).fillna("none"),
            "deck": frame["Cabin"].str[0].fillna("?"),
            "family": (frame["SibSp"] + frame["Parch"] + 1).astype(str),
        }
    )


def features_of_customers(frame: Any) -> Any:
    """Ratios, parts of dates, and text made numbers."""
    return pd.DataFrame(
        {
            "mean_order": frame["total"] / frame["orders"],
            "month": frame["start"].dt.month,
            "weekday": frame["start"].dt.day_of_week,
            "days": (frame["last_seen"] - frame["start"]).dt.total_seconds() / 86400,
            "firm": frame["email"].str.endswith(".org").astype(int),
            "is_plus": (frame["plan"] == "plus").astype(int),
        }
    )


def parts_of_time(frame: Any) -> Any:
    """Parts of the column ``datetime``, as in the bike sharing notebooks."""
    when = pd.to_datetime(frame["datetime"])
    parts = {"hour": when.dt.hour, "weekday": when.dt.weekday, "month": when.dt.month}
    return frame.drop(columns="datetime").assign(**parts)


def ordinals(frame: Any) -> Any:
    """Marks as numbers, by a map, as in the house price notebooks."""
    marks = {"Ex": 5, "Gd": 4, "TA": 3, "Fa": 2, "Po": 1}
    named = [name for name in frame.columns if name.endswith("Qual")]
    return frame.assign(**{name: frame[name].map(marks).fillna(0).astype(int) for name in named})


def lags(frame: Any) -> Any:
    """Differences of columns that hold earlier values of a series."""
    return frame.assign(step=frame["lag1"] - frame["lag2"], week=frame["lag1"] - frame["lag7"])


class Winsorizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Cuts columns of a frame at quantiles that it learned."""

    def __init__(self, share: float = 0.05) -> None:
        """``share``: share of the rows that are cut at each end."""
        self.share = share

    def fit(self, x: Any, y: Any = None) -> Self:
        """Learn the bounds."""
        numbers = x.select_dtypes("number")
        self.columns_ = [*numbers.columns]
        self.low_, self.high_ = numbers.quantile(self.share), numbers.quantile(1 - self.share)
        return self

    def transform(self, x: Any) -> Any:
        """Cut, fill, and leave what is no number."""
        numbers = x[self.columns_].clip(self.low_, self.high_, axis=1).fillna(self.low_)
        return numbers.assign(missing=x.isna().sum(axis=1))


class Picker(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Picks columns of a frame by name; the usual helper of feature unions."""

    def __init__(self, names: Any = "") -> None:
        """One name gives a series, a list of names a frame."""
        self.names = names

    def fit(self, x: Any, y: Any = None) -> Self:
        """Nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """It always is."""
        return True

    def transform(self, x: Any) -> Any:
        """The columns."""
        return x[self.names]


class Scorecard:
    """Rules by hand, without scikit-learn, that want a frame."""

    def predict(self, frame: Any) -> Any:
        """A grade for each row, as a list."""
        points = frame["income"].fillna(0) / 1000 + 5 * frame["employed"].astype(int)
        points = points + frame["purpose"].map({"car": 1, "home": 3}).astype(float).fillna(-2)
        return ["A" if value > 30 else "B" if value > 20 else "C" for value in points]

    def predict_points(self, frame: Any) -> Any:
        """Two columns a row, as a frame."""
        good = frame["income"].fillna(0) / 1000
        return pd.DataFrame({"points": good, "grade": self.predict(frame)})


class Forecaster(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Gives a frame: a forecast and its bounds."""

    def fit(self, x: Any, y: Any) -> Self:
        """Learn a mean by key."""
        self.feature_names_in_ = np.array(x.columns, dtype=object)
        self.n_features_in_ = x.shape[1]
        self.means_ = y.groupby(x["store"]).mean()
        return self

    def predict(self, x: Any) -> Any:
        """A frame with three columns."""
        middle = x["store"].map(self.means_).fillna(self.means_.mean()) * (1 + x["promo"] * 0.25)
        return pd.DataFrame({"yhat": middle, "low": middle * 0.9, "high": middle * 1.1})


class NextVisit(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Answers with dates: when a customer is likely to come again."""

    def fit(self, x: Any, y: Any) -> Self:
        """Learn a number of days."""
        self.feature_names_in_ = np.array(x.columns, dtype=object)
        self.days_ = int(np.mean(y))
        self.fitted_ = True
        return self

    def predict(self, x: Any) -> Any:
        """Days after the start; not a time where that is missing."""
        return (x["last_seen"] + pd.to_timedelta(self.days_, "D")).to_numpy()
