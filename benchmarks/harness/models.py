"""The models under load, each with questions and the answers that it gives to them by itself."""

import os
from copy import deepcopy
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from benchmarks.harness.wire import post

FEATURES = 20
QUESTIONS = 200
MEGABYTE = 2**20
HUGE = 20
"""Megabytes from which a model needs more terms, or it would give too many outputs."""


class Model(msgspec.Struct, frozen=True):
    """A fitted estimator, where it is saved, and what it is asked."""

    name: str
    estimator: Any
    path: Path

    @classmethod
    def save(cls, name: str, estimator: Any, directory: Path) -> "Model":
        """Keep it as people do, with joblib."""
        path = directory / f"{name}.joblib"
        with path.open("wb") as file:
            joblib.dump(estimator, file)
            file.flush()
            os.fsync(file.fileno())  # not while others sync who are measured
        return cls(name, estimator, path)

    def questions(self, rows: int = 1, count: int = QUESTIONS) -> "Questions":
        """Requests of so many rows, no two the same."""
        asked = np.random.default_rng(0).normal(size=(count, rows, FEATURES)).round(4)
        told = self.estimator.predict(asked.reshape(-1, FEATURES)).reshape(count, rows, -1)
        bodies = [
            msgspec.json.encode({"model": self.name, "features": each}) for each in asked.tolist()
        ]
        return Questions(bodies, told)


class Questions(msgspec.Struct, frozen=True):
    """Bodies of requests, and the model's own answer to each."""

    bodies: list[bytes]
    told: Any
    """Requests x rows x outputs."""

    def requests(self, path: str = "/predict/async", header: str = "") -> list[bytes]:
        """Ready to be sent."""
        return [post(path, body, header) for body in self.bodies]

    def agrees(self, index: int, predictions: list[Any]) -> bool:
        """Whether these are what the model said; sums may differ in their last bits."""
        told = self.told[index]
        given = np.asarray(predictions).reshape(len(predictions), -1)
        return given.shape == told.shape and bool(np.allclose(given, told, 1e-12, 1e-13))


def forest(directory: Path) -> Model:
    """100 trees, 20 features: the one that all systems are compared on."""
    fitted = RandomForestClassifier(100, random_state=0).fit(*_data(2_000))
    return Model.save("forest", fitted, directory)


def logistic(directory: Path) -> Model:
    """A quick one, a quarter of a millisecond a call."""
    return Model.save("logistic", LogisticRegression().fit(*_data(2_000)), directory)


def slow(directory: Path) -> Model:
    """5,000 small trees, some 200 ms a call."""
    fitted = ExtraTreesClassifier(100, max_depth=3, random_state=0).fit(*_data(500))
    return Model.save("slow", multiplied(fitted, 50), directory)


def heavy_forest(directory: Path, megabytes: int) -> Model:
    """Some 100 trees that fill a file of this size: two grown on noise, then multiplied."""
    noise, samples = np.random.default_rng(0), 100 * megabytes
    x, y = noise.normal(size=(samples, FEATURES)), noise.integers(0, 2, samples)
    fitted = ExtraTreesClassifier(2, random_state=0).fit(x, y)
    grown = Model.save(f"forest-{megabytes}", fitted, directory).path.stat().st_size
    times = round(megabytes * MEGABYTE / grown)
    return Model.save(f"forest-{megabytes}", multiplied(fitted, times), directory)


def heavy_linear(directory: Path, megabytes: int) -> Model:
    """A regression of many outputs on polynomials, whose coefficients have this size."""
    terms = PolynomialFeatures(3 if megabytes < HUGE else 5)
    fitted = make_pipeline(terms, Ridge()).fit(np.eye(2, FEATURES), np.zeros((2, 2)))
    width = terms.n_output_features_
    outputs = round(megabytes * MEGABYTE / 8 / width)
    fitted[-1].coef_ = np.random.default_rng(0).normal(size=(outputs, width))
    fitted[-1].intercept_ = np.zeros(outputs)
    return Model.save(f"linear-{megabytes}", fitted, directory)


def multiplied(forest: Any, times: int) -> Any:
    """The same trees many times over, each a copy of its own."""
    trees = [deepcopy(tree) for _ in range(times) for tree in forest.estimators_]
    forest.estimators_, forest.n_estimators = trees, len(trees)
    return forest


def _data(samples: int) -> tuple[Any, Any]:
    data: tuple[Any, Any] = make_classification(samples, FEATURES, random_state=0)
    return data
