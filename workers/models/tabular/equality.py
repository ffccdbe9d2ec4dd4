"""Compares answers: labels exactly, floats up to the rounding of linear algebra."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from workers.models.tabular.columns import Array
from workers.models.tabular.outputs import Output, to_wire

RELATIVE, ABSOLUTE = 1e-12, 1e-13
"""Tolerances of floats: BLAS adds in another order when a call has more rows."""


def equal(own: Any, served: Any) -> bool:
    """Whether two answers for a row, as JSON values, are equal."""
    if isinstance(own, list) and isinstance(served, list):
        return len(own) == len(served) and all(map(equal, own, served))
    if isinstance(own, dict) and isinstance(served, dict):
        return own.keys() == served.keys() and all(equal(own[k], served[k]) for k in own)
    if isinstance(own, float) and isinstance(served, float | int):
        both = math.isnan(own) and math.isnan(served)
        return both or math.isclose(own, served, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(own) is type(served) and bool(own == served)


def unequal(own: Output, served: Output) -> Array:
    """A boolean per row: whether the two answers differ by more than the tolerances."""
    if isinstance(own, list) or isinstance(served, list):
        if type(own) is not type(served) or len(own) != len(served):
            return np.ones(len(own[0] if isinstance(own, list) else own), bool)
        return np.any([unequal(a, b) for a, b in zip(own, served, strict=True)], axis=0)
    if own.shape != served.shape:
        return np.ones(len(own), bool)
    differs = ~_equal(own, served)
    return differs.any(axis=tuple(range(1, differs.ndim)))


def _equal(own: Array, served: Array) -> Array:
    if own.dtype.kind in "fc" and served.dtype.kind in "fciu":
        return np.isclose(own, served, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    if own.dtype.kind in "iub":
        return np.asarray(own == served)
    if own.dtype == object and any(map(_needs_tolerance, own.ravel())):
        return _each(to_wire(own), to_wire(served))
    missing = pd.isna(own) & pd.isna(served)
    return np.asarray(own == served) | missing


def _needs_tolerance(value: Any) -> bool:
    return isinstance(value, float | list | tuple | dict | np.ndarray)


def _each(own: Sequence[Any], served: Sequence[Any]) -> Array:
    pairs = zip(own, served, strict=True)
    return np.array([equal(a, b) or bool(a == b) for a, b in pairs])
