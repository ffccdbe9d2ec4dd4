"""Whether two answers are the same: labels exactly, floats as near as linear algebra allows."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from workers.models.tabular.columns import Array
from workers.models.tabular.outputs import Output, to_wire

RELATIVE, ABSOLUTE = 1e-12, 1e-13
"""How far floats may lie apart: sums are made in another order when there are more rows."""


def equal(own: Any, served: Any) -> bool:
    """Whether two answers for a row are the same, as JSON has them."""
    if isinstance(own, list) and isinstance(served, list):
        return len(own) == len(served) and all(map(equal, own, served))
    if isinstance(own, float) and isinstance(served, float | int):
        both = math.isnan(own) and math.isnan(served)
        return both or math.isclose(own, served, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(own) is type(served) and bool(own == served)


def unequal(own: Output, served: Output) -> Array:
    """Of each row, whether the answers differ by more than they may."""
    if isinstance(own, list) or isinstance(served, list):
        if type(own) is not type(served) or len(own) != len(served):
            return np.ones(len(own[0] if isinstance(own, list) else own), bool)
        return np.any([unequal(a, b) for a, b in zip(own, served, strict=True)], axis=0)
    if own.shape != served.shape:
        return np.ones(len(own), bool)
    differs = ~_equal(own, served)
    return differs.reshape(len(own), -1).any(axis=1)


def _equal(own: Array, served: Array) -> Array:
    if own.dtype.kind in "fc" and served.dtype.kind in "fciu":
        return np.isclose(own, served, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    if own.dtype.kind in "iub":
        return np.asarray(own == served)
    if own.dtype == object and any(map(_is_several, own.ravel())):
        return _each(to_wire(own), to_wire(served))
    missing = pd.isna(own) & pd.isna(served)
    return np.asarray(own == served) | missing


def _is_several(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray)


def _each(own: Sequence[Any], served: Sequence[Any]) -> Array:
    return np.array([equal(a, b) for a, b in zip(own, served, strict=True)])
