"""Trained and registered versions of many kinds, with each model's own answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC

from tests.support.models import register

Rows = list[list[Any]]
WORDS = ["good", "bad", "fine", "awful", "day", "night"]
CITIES = ["Berlin", "Paris", None, "Oslo"]
X, Y = load_iris(return_X_y=True)
SPECIES = load_iris().target_names[Y]


class Version(NamedTuple):
    """A registered version, and the model's own answers."""

    reference: str
    model: Any
    methods: tuple[str, ...]
    rows: Callable[[np.random.Generator, int], Rows]
    given: Callable[[Rows], Any] = np.array
    to_the_last_bit: bool = False

    def alone(self, method: str, rows: Rows) -> list[Any]:
        answer: list[Any] = getattr(self.model, method)(self.given(rows)).tolist()
        return answer


def flowers(random: np.random.Generator, count: int) -> Rows:
    rows: Rows = (
        X[random.integers(len(X), size=count)] + random.normal(0, 0.3, (count, 4))
    ).tolist()
    return rows


def people(random: np.random.Generator, count: int) -> Rows:
    ages = [None if old < 20 else float(old) for old in random.integers(0, 99, count)]
    return [[age, CITIES[random.integers(len(CITIES))]] for age in ages]


def sentences(random: np.random.Generator, count: int) -> Rows:
    return [[" ".join(random.choice(WORDS, random.integers(1, 9)))] for _ in range(count)]


def frame(rows: Rows) -> pd.DataFrame:
    ages, cities = zip(*rows, strict=True)
    return pd.DataFrame(
        {"age": pd.Series(ages, dtype=float), "city": pd.Series(list(cities), dtype=object)}
    )


def registered(home: Path) -> list[Version]:
    """Versions of every kind, trained and registered."""
    random = np.random.default_rng(0)
    persons, texts = people(random, 60), [row[0] for row in sentences(random, 60)]
    probable = ("predict", "predict_proba", "decision_function")
    linear, other = (LogisticRegression(C=c, max_iter=1000).fit(X, Y) for c in (1.0, 0.01))
    forest = RandomForestClassifier(10, n_jobs=-1, random_state=0).fit(X, SPECIES)
    near = KNeighborsClassifier().fit(X, SPECIES)
    vectors = SVC().fit(X, Y)
    columns = LinearRegression().fit(X, X[:, :2] * 3)
    columns_of_people = make_column_transformer(
        (SimpleImputer(), ["age"]), (OneHotEncoder(handle_unknown="ignore"), ["city"])
    )
    buying = make_pipeline(columns_of_people, LogisticRegression())
    buying.fit(frame(persons), random.integers(0, 2, 60))
    mood = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [*"ab"] * 30)
    register(home, "linear", linear, X[:2].tolist(), alias="production")
    register(home, "linear", other, X[:2].tolist())
    register(home, "exact", linear, X[:2].tolist(), exact=True)
    register(home, "forest", forest, X[:2].tolist())
    forest.n_jobs = 1  # with threads, sums differ in their last bits from call to call
    register(home, "near", near, X[:2].tolist())
    register(home, "vectors", vectors, X[:2].tolist())
    register(home, "columns", columns, X[:2].tolist())
    register(home, "buying", buying, [*persons[:9], [None, None], [30.0, None]])
    register(home, "mood", mood, [["good day"]])
    return [
        Version("linear@production", linear, probable, flowers),
        Version("linear:1", linear, probable, flowers),
        Version("linear", other, probable, flowers),
        Version("exact", linear, probable, flowers, to_the_last_bit=True),
        Version("forest", forest, probable[:2], flowers, to_the_last_bit=True),
        Version("near", near, probable[:2], flowers, to_the_last_bit=True),
        Version("vectors", vectors, probable[::2], flowers),
        Version("columns", columns, probable[:1], flowers),
        Version("buying", buying, probable[:2], people, frame),
        Version("mood", mood, probable, sentences, lambda rows: [row[0] for row in rows]),
    ]
