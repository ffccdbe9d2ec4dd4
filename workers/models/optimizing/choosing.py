"""Decides at registration whether ONNX Runtime computes a model's calls, and of how many rows."""

import time
from typing import Any

import joblib
import numpy as np
import pandas as pd

from registry.manifest import Optimization, Signature
from workers.models.formats.model_format import installed_version
from workers.models.kernels.accelerating import accelerated
from workers.models.optimizing.comparing import (
    compared_methods,
    sound_conversion,
    with_column_names,
)
from workers.models.tabular.columns import Array

TIMED_ROWS = (1, 64, 10_000)
"""Rows of the calls that are timed."""
LEAST_GAIN = 1.1
"""How many times faster another runtime must be."""
_CALLS = 5


def choose(model: Any, signature: Signature, sample: pd.DataFrame) -> Optimization:
    """Convert, compare and time; the reason stands in the result if the model stays as it is.

    ``sample``: rows as the model takes them.
    """
    found = sound_conversion(model, signature, sample)
    if found.reason:
        return Optimization(reason=found.reason)
    with joblib.parallel_config(backend="sequential"):  # as workers call models
        return _timed(model, found.model, sample.to_numpy(dtype=np.float64))


def _timed(model: Any, other: Any, sample: Array) -> Optimization:
    served, runtime = accelerated(model, "model"), f"ONNX Runtime {_version()}"
    method = compared_methods(model, other)[-1]
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
