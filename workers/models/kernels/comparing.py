"""Compares kernels with scikit-learn's own methods, bit by bit."""

import warnings
from typing import Any

import joblib

from workers.models.kernels.trees.thresholds import rows_on_thresholds, splits_of
from workers.models.tabular.columns import Array

_METHODS = ("decision_function", "predict_proba", "transform", "predict")


def same_bits(original: Any, twin: Any, rows: Array) -> bool:
    """Whether two models answer rows alike, all together and the first alone.

    One method is asked: the first that gives floats, on which the others depend.
    """
    name = next(name for name in _METHODS if hasattr(original, name))
    with (
        warnings.catch_warnings(),
        joblib.parallel_config(backend="sequential"),  # the fork server must not start threads
    ):
        warnings.simplefilter("ignore")  # rows without the names of columns
        return all(
            equal_bits(getattr(original, name)(each), getattr(twin, name)(each))
            for each in (rows, rows[:1])
        )


def equal_bits(original: Any, found: Any) -> bool:
    """Whether two arrays, or lists of arrays, are equal in type, shape and bits."""
    if isinstance(original, list):
        return len(original) == len(found) and all(map(equal_bits, original, found))
    same = original.dtype == found.dtype and original.shape == found.shape
    return bool(same and original.tobytes() == found.tobytes())


def trees_agree(original: Any, twin: Any) -> bool:
    """`same_bits` on and next to the thresholds of a tree, or of the trees of a model."""
    estimators = getattr(original, "estimators_", [original])
    trees = estimators.ravel() if hasattr(estimators, "ravel") else estimators
    rows = rows_on_thresholds(
        splits_of(trees),
        original.n_features_in_,
        nan_allowed=getattr(twin.kernel, "nan_allowed", False),
    )
    return same_bits(original, twin, rows)
