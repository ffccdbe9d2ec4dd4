"""The models under load, each with requests and its own predictions for them."""

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
"""Megabytes above which a model gets more terms, as it would have too many outputs otherwise."""


class Model(msgspec.Struct, frozen=True):
    """A fitted estimator, its file, and the rows to predict."""

    name: str
    estimator: Any
    path: Path

    @classmethod
    def save(cls, name: str, estimator: Any, directory: Path) -> "Model":
        """Save an estimator with joblib."""
        path = directory / f"{name}.joblib"
        with path.open("wb") as file:
            joblib.dump(estimator, file)
            file.flush()
            os.fsync(file.fileno())  # now, not while a measured system syncs
        return cls(name, estimator, path)

    def questions(self, rows: int = 1, count: int = QUESTIONS) -> "Questions":
        """Requests of ``rows`` rows, all different."""
        asked = np.random.default_rng(0).normal(size=(count, rows, FEATURES)).round(4)
        told = self.estimator.predict(asked.reshape(-1, FEATURES)).reshape(count, rows, -1)
        bodies = [
            msgspec.json.encode({"model": self.name, "features": each}) for each in asked.tolist()
        ]
        return Questions(bodies, told)


class Questions(msgspec.Struct, frozen=True):
    """Request bodies, and the model's own predictions for each."""

    bodies: list[bytes]
    told: Any
    """The model's predictions, of shape (requests, rows, outputs)."""

    def requests(self, path: str = "/predict/async", header: str = "") -> list[bytes]:
        """The requests as bytes, ready to send."""
        return [post(path, body, header) for body in self.bodies]

    def agrees(self, index: int, predictions: list[Any]) -> bool:
        """Whether predictions equal the model's own, up to rounding of sums."""
        told = self.told[index]
        given = np.asarray(predictions).reshape(len(predictions), -1)
        return given.shape == told.shape and bool(np.allclose(given, told, 1e-12, 1e-13))


def forest(directory: Path) -> Model:
    """100 trees, 20 features: the model on which all systems are compared."""
    fitted = RandomForestClassifier(100, random_state=0).fit(*_data(2_000))
    return Model.save("forest", fitted, directory)


class WithoutKernels(RandomForestClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """A forest that workers compute by scikit-learn: kernels are for the class itself."""


def forest_without_kernels(directory: Path) -> Model:
    """The forest of `forest` under the same name, in a directory of its own."""
    apart = directory / "without-kernels"
    apart.mkdir(exist_ok=True)
    fitted = WithoutKernels(100, random_state=0).fit(*_data(2_000))
    return Model.save("forest", fitted, apart)


def logistic(directory: Path) -> Model:
    """A fast model: 0.25 ms per call."""
    return Model.save("logistic", LogisticRegression().fit(*_data(2_000)), directory)


def slow(directory: Path) -> Model:
    """A slow model: 5,000 small trees, about 200 ms per call."""
    fitted = ExtraTreesClassifier(100, max_depth=3, random_state=0).fit(*_data(500))
    return Model.save("slow", multiplied(fitted, 50), directory)


def heavy_forest(directory: Path, megabytes: int) -> Model:
    """A forest with a file of this size: two trees grown on noise, then copied."""
    noise, samples = np.random.default_rng(0), 100 * megabytes
    x, y = noise.normal(size=(samples, FEATURES)), noise.integers(0, 2, samples)
    fitted = ExtraTreesClassifier(2, random_state=0).fit(x, y)
    grown = Model.save(f"forest-{megabytes}", fitted, directory).path.stat().st_size
    times = round(megabytes * MEGABYTE / grown)
    return Model.save(f"forest-{megabytes}", multiplied(fitted, times), directory)


def heavy_linear(directory: Path, megabytes: int) -> Model:
    """A regression of many outputs on polynomials, with coefficients of this size."""
    terms = PolynomialFeatures(3 if megabytes < HUGE else 5)
    fitted = make_pipeline(terms, Ridge()).fit(np.eye(2, FEATURES), np.zeros((2, 2)))
    width = terms.n_output_features_
    outputs = round(megabytes * MEGABYTE / 8 / width)
    fitted[-1].coef_ = np.random.default_rng(0).normal(size=(outputs, width))
    fitted[-1].intercept_ = np.zeros(outputs)
    return Model.save(f"linear-{megabytes}", fitted, directory)


def multiplied(forest: Any, times: int) -> Any:
    """A forest with copies of the same trees."""
    trees = [deepcopy(tree) for _ in range(times) for tree in forest.estimators_]
    forest.estimators_, forest.n_estimators = trees, len(trees)
    return forest


def _data(samples: int) -> tuple[Any, Any]:
    data: tuple[Any, Any] = make_classification(samples, FEATURES, random_state=0)
    return data
