"""Kernels beside scikit-learn's own methods, in this process: time by rows, and equal bits."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import joblib
import numpy as np

from benchmarks.harness.bench import Bench
from benchmarks.harness.results import Cell, Check, Part, Table
from benchmarks.parts.estimators import Fitted, fitted_estimators
from workers.models.kernels.accelerating import accelerated

COMPARED = 1_000_000
"""Rows whose bits are compared in a full run."""
MANY = 100_000
COLUMNS = [
    *("", "runtime", "µs, 1 row", "µs, 64 rows", f"rows/s of {MANY:,}"),
    *("times, 1 row", "times, 64 rows", "equal rows"),
]
NOTE = """Trees of 2,000 rows of training, 20 columns, 100 to a forest; the better of several \
calls. Times: how many times faster than scikit-learn's own methods, in the row above. Equal rows: \
those whose probabilities or values have the bits of scikit-learn's, of all that were compared; \
the first are on and next to thresholds of the trees. One row: no part of it has a kernel."""


def run(bench: Bench) -> Part:
    """Compare each estimator with the runtime that a worker chooses for it."""
    rows: list[list[Cell]] = []
    checks: list[Check] = []
    with joblib.parallel_config(backend="sequential"):  # as workers call models
        for fitted in fitted_estimators():
            _compare(bench, fitted, rows, checks)
    return Part("kernels", [Table("Kernels", COLUMNS, rows, NOTE)], checks)


def _compare(bench: Bench, fitted: Fitted, rows: list[list[Cell]], checks: list[Check]) -> None:
    own, name = fitted.model, fitted.name
    twin, many = accelerated(own, "model:1"), bench.scaled(MANY)
    slow = _times(_method(own), fitted, many)
    rows.append([name, "scikit-learn", *slow, 1.0, 1.0, ""])
    if twin is own:
        return
    fast = _times(_method(twin), fitted, many)
    asked = fitted.rows(bench.scaled(COMPARED))
    equal = _equal(_method(own), _method(twin), asked)
    gain = slow[0] / fast[0]
    share = f"{equal:,} of {len(asked):,}"
    rows.append([name, "exact kernels", *fast, gain, slow[1] / fast[1], share])
    checks.append(Check(f"{name}, equal rows", equal / len(asked), "at least", 1.0))
    checks.append(Check(f"{name}, one row, times", gain, "at least", fitted.least_gain))


def _method(model: Any) -> Callable[[Any], Any]:
    """The method whose bits are compared."""
    method: Callable[[Any], Any] = getattr(model, "predict_proba", None) or model.predict
    return method


def _equal(own: Callable[[Any], Any], twin: Callable[[Any], Any], rows: Any) -> int:
    bits = [
        np.ascontiguousarray(method(rows)).reshape(len(rows), -1).view(np.uint64)
        for method in (own, twin)
    ]
    return int((bits[0] == bits[1]).all(axis=1).sum())


def _times(method: Callable[[Any], Any], fitted: Fitted, many: int) -> Sequence[float]:
    """µs of a call with 1 and 64 rows, and rows/s of a call with many."""
    rows = fitted.rows(max(many, 64))
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
