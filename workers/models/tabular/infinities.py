"""Infinities in JSON, which has no number for them: the texts ``Infinity`` and ``-Infinity``.

So does the JSON form of protocol buffers; `float` of Python and `Number` of JavaScript read them.
"""

import math
from typing import Any

import numpy as np

from workers.models.tabular.columns import Array


def spelled(value: Any) -> Any:
    """A value as JSON can say it: NaN is None, and an infinity its name."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    if math.isnan(value):
        return None
    return "Infinity" if value > 0 else "-Infinity"


def spelled_array(array: Array) -> Array:
    """`spelled` for an array of floats; as it is if all values are finite."""
    if np.isfinite(array).all():
        return array
    found = array.astype(object)
    found[np.isnan(array)] = None
    found[np.isposinf(array)], found[np.isneginf(array)] = spelled(math.inf), spelled(-math.inf)
    return found


def spelled_values(values: list[Any]) -> list[Any]:
    """`spelled` for the values of a list, at any depth."""
    return [spelled_values(v) if isinstance(v, list) else spelled(v) for v in values]
