"""Kernels beside scikit-learn's own methods, in this process: time by rows, and equal bits."""

import time
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from benchmarks.harness.bench import Bench
from benchmarks.harness.models import FEATURES
from benchmarks.harness.results import Cell, Check, Part, Table
from workers.models.kernels.accelerating import accelerated
from workers.models.kernels.preparing import rows_on_thresholds

FORESTS = RandomForestClassifier, ExtraTreesClassifier, RandomForestRegressor, ExtraTreesRegressor
COMPARED = 1_000_000
"""Rows whose bits are compared in a full run, the first of them on and next to thresholds."""
MANY = 100_000
COLUMNS = ["", "µs, 1 row", "µs, 64 rows", f"rows/s of {MANY:,}", "times, 1 row", "equal rows"]
NOTE = """100 trees, 2,000 rows of training, 20 columns; the better of several calls. Equal rows: \
those whose probabilities or values have the bits of scikit-learn's, of all that were compared."""


def run(bench: Bench) -> Part:
    """Compare each supported estimator with its kernel."""
    rows: list[list[Cell]] = []
    checks = []
    for kind in FORESTS:
        own, twin = _pair(kind)
        with joblib.parallel_config(backend="sequential"):  # as workers call models
            asked = np.random.default_rng(1).normal(size=(bench.scaled(COMPARED), FEATURES))
            near = rows_on_thresholds(own, nan_allowed=False)[: len(asked)]
            asked[: len(near)] = near
            equal = _equal(_method(own), _method(twin), asked)
            slow, fast = (_times(_method(model), bench.scaled(MANY)) for model in (own, twin))
        name, share = kind.__name__, f"{equal:,} of {len(asked):,}"
        rows.append([f"{name}, scikit-learn", *slow, 1.0, ""])
        rows.append([f"{name}, kernel", *fast, slow[0] / fast[0], share])
        checks.append(Check(f"{name}, equal rows", equal / len(asked), "at least", 1.0))
        checks.append(Check(f"{name}, one row, times", slow[0] / fast[0], "at least", 10.0))
    return Part("kernels", [Table("Kernels", COLUMNS, rows, NOTE)], checks)


def _pair(kind: Any) -> tuple[Any, Any]:
    """A forest and its copy with a kernel."""
    x, y = make_classification(2_000, FEATURES, random_state=0)
    target = y if hasattr(kind, "predict_proba") else x[:, 0] * x[:, 1]
    own = kind(100, random_state=0).fit(x, target)
    return own, accelerated(own, "forest:1")


def _method(model: Any) -> Callable[[Any], Any]:
    """The method that kernels override."""
    method: Callable[[Any], Any] = getattr(model, "predict_proba", None) or model.predict
    return method


def _equal(own: Callable[[Any], Any], twin: Callable[[Any], Any], rows: Any) -> int:
    bits = [method(rows).reshape(len(rows), -1).view(np.uint64) for method in (own, twin)]
    return int((bits[0] == bits[1]).all(axis=1).sum())


def _times(method: Callable[[Any], Any], many: int) -> list[float]:
    """µs of a call with 1 and 64 rows, and rows/s of a call with many."""
    rows = np.random.default_rng(0).normal(size=(max(many, 64), FEATURES))
    one, some = _best(method, rows[:1], 20), _best(method, rows[:64], 20)
    return [one * 1e6, some * 1e6, len(rows) / _best(method, rows, 3)]


def _best(method: Callable[[Any], Any], rows: Any, calls: int) -> float:
    """Seconds of the fastest call."""
    found = []
    for _ in range(calls):
        started = time.perf_counter()
        method(rows)
        found.append(time.perf_counter() - started)
    return min(found)
