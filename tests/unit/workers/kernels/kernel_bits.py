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
                own, found = getattr(model, method)(rows), getattr(twin, method)(rows)
                assert _comparable(own, found), method
    return twin


def _comparable(own: Any, found: Any) -> bool:
    """Whether two answers are equal; bits of an array of objects would be their addresses."""
    if getattr(getattr(own, "dtype", None), "kind", "") == "O":
        return bool(found.dtype == own.dtype and own.tolist() == found.tolist())
    return equal_bits(own, found)


def assert_same_error(model: Any, twin: Any, wrong: Any) -> None:
    """Both refuse an input with the same words."""
    with pytest.raises(ValueError, match=r".") as own:
        model.predict(wrong)
    with pytest.raises(ValueError, match=r".") as found:
        twin.predict(wrong)
    assert str(own.value) == str(found.value)
