"""Decides at registration whether ONNX Runtime computes a model's calls, and of how many rows.

Answers must be those of the model: labels exactly, floats within the tolerance of microbatches.
"""

import time
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pandas as pd

from registry.manifest import Optimization, Signature
from workers.models.formats.model_format import installed_version
from workers.models.kernels.accelerating import accelerated
from workers.models.kernels.sklearn_classes import are_trees
from workers.models.kernels.steps.linear import random_rows
from workers.models.kernels.trees.thresholds import rows_on_thresholds, splits_of
from workers.models.optimizing.conversion import METHODS, as_onnx
from workers.models.tabular.columns import Array
from workers.models.tabular.equality import equal
from workers.models.tabular.outputs import to_output, to_wire
from workers.models.tabular.table import is_matrix

TIMED_ROWS = (1, 64, 10_000)
"""Rows of the calls that are timed."""
LEAST_GAIN = 1.1
"""How many times faster another runtime must be."""
_NEIGHBOURS = 1e-9
"""Relative distance of rows beside those of the sample."""
_CALLS = 5
_MAX_REASON = 300


def choose(model: Any, signature: Signature, sample: pd.DataFrame) -> Optimization:
    """Convert, compare and time; the reason stands in the result if the model stays as it is.

    ``sample``: rows as the model takes them.
    """
    if not is_matrix(signature) or signature.flat:
        return Optimization(reason="not all of its columns are plain float64 numbers")
    if not any(hasattr(model, name) for name in METHODS):
        return Optimization(reason=f"it has neither {' nor '.join(METHODS)}")
    try:
        other = as_onnx(model)
    except Exception as error:  # noqa: BLE001 - the converter raises anything
        said = f"{type(error).__name__}: {error}"
        return Optimization(reason=f"it cannot be converted: {said[:_MAX_REASON]}")
    rows = sample.to_numpy(dtype=np.float64)
    with joblib.parallel_config(backend="sequential"):  # as workers call models
        reason = next(_differences(model, other, rows), "")
        return Optimization(reason=reason) if reason else _timed(model, other, rows)


def _differences(model: Any, other: Any, sample: Array) -> Iterator[str]:
    """Why answers are not the same, for each method and kind of rows for which they are not."""
    methods = [name for name in METHODS if hasattr(model, name) and hasattr(other, name)]
    for kind, rows in _compared(model, sample):
        for name in methods:
            if wrong := _unequal_rows(getattr(model, name), getattr(other, name), rows):
                yield f"{name} differs in {wrong:,} of {len(rows):,} {kind}"


def _compared(model: Any, sample: Array) -> Iterator[tuple[str, Array]]:
    yield "rows of the sample", sample
    beside = sample * (1 + np.random.default_rng(0).choice([-1, 0, 1], sample.shape) * _NEIGHBOURS)
    yield "rows beside those of the sample", beside
    yield "random rows", random_rows(model)
    parts = getattr(model, "estimators_", [model])
    # Not by NumPy, except where it is an array: it would take ensembles for nested sequences.
    trees = parts.ravel().tolist() if isinstance(parts, np.ndarray) else list(parts)
    if are_trees(trees):
        near = rows_on_thresholds(splits_of(trees), sample.shape[1], nan_allowed=False)
        yield "rows at thresholds", near.astype(np.float64)


def _unequal_rows(original: Any, other: Any, rows: Array) -> int:
    try:
        given = with_column_names(original, rows)
        answers = [to_wire(to_output(method(given), len(rows))) for method in (original, other)]
        # As callers get them: a boolean label must not become a number.
        return sum(not equal(*pair) for pair in zip(*answers, strict=True))
    except Exception:  # noqa: BLE001 - one of them refuses rows that the other may take
        return len(rows)


def with_column_names(method: Any, rows: Array) -> Any:
    """Rows with the names of columns, for a model that was fitted on a frame."""
    names = getattr(getattr(method, "__self__", None), "feature_names_in_", None)
    return rows if names is None else pd.DataFrame(rows, columns=names)


def _timed(model: Any, other: Any, sample: Array) -> Optimization:
    served, runtime = accelerated(model, "model"), f"ONNX Runtime {_version()}"
    method = next(name for name in reversed(METHODS) if hasattr(other, name))
    times: dict[str, dict[str, float]] = {"scikit-learn": {}, runtime: {}}
    most = 0
    for rows in TIMED_ROWS:
        given = with_column_names(
            getattr(model, method), np.resize(sample, (rows, sample.shape[1]))
        )
        original, found = (microseconds(getattr(each, method), given) for each in (served, other))
        times["scikit-learn"][str(rows)], times[runtime][str(rows)] = original, found
        if original < found * LEAST_GAIN:
            break
        most = rows
    reason = "" if most else "it is not faster for one row"
    return Optimization(runtime if most else "", most, times, reason)


def microseconds(method: Any, given: Any) -> float:
    """Microseconds of the fastest of some calls; the first may compile something."""
    found = []
    for _ in range(_CALLS):
        started = time.perf_counter()
        method(given)
        found.append(time.perf_counter() - started)
    return round(min(found) * 1e6, 1)


def _version() -> str:
    return installed_version(("onnxruntime", "onnxruntime-gpu"))
