"""Asserts that a model with kernels answers as the model itself, to the last bit."""

from typing import Any

import pytest

from workers.models.kernels.accelerating import accelerated
from workers.models.kernels.comparing import equal_bits

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform")


def assert_same_bits(model: Any, *several_rows: Any) -> Any:
    """Compare all methods for each of these inputs; returns the model with kernels."""
    twin = accelerated(model, "m:1")
    assert twin is not model
    for rows in several_rows:
        for method in METHODS:
            if hasattr(model, method):
                original, found = getattr(model, method)(rows), getattr(twin, method)(rows)
                assert _comparable(original, found), method
    return twin


def _comparable(original: Any, found: Any) -> bool:
    """Whether two answers are equal; bits of an array of objects would be their addresses."""
    if getattr(getattr(original, "dtype", None), "kind", "") == "O":
        return bool(found.dtype == original.dtype and original.tolist() == found.tolist())
    return equal_bits(original, found)


def assert_same_error(model: Any, twin: Any, wrong: Any) -> None:
    """Both refuse an input with the same words."""
    with pytest.raises(ValueError, match=r".") as original:
        model.predict(wrong)
    with pytest.raises(ValueError, match=r".") as found:
        twin.predict(wrong)
    assert str(original.value) == str(found.value)
