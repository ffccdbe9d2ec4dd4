"""Forests whose trees are walked by a compiled loop, without joblib and repeated validation.

The comparisons, the order in which the trees' values are added, and the division at the end are
scikit-learn's, so the bits are those of ``n_jobs=1``. Without the loop each tree is asked directly.
Input that the short check does not pass goes through scikit-learn's own method, which then answers
or raises as ever.
"""

from typing import Any

import numpy as np
import pandas as pd

from workers.models.kernels.preparing import Prepared
from workers.models.tabular.columns import Array

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class ClassifierKernel:
    """Overrides `predict_proba` of a forest classifier; its other methods call this one."""

    def predict_proba(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """See `sklearn.ensemble.RandomForestClassifier`."""
        rows = float32_rows(self, X)
        if rows is None:
            return super().predict_proba(X)  # type: ignore[misc]  # of scikit-learn's class
        forest: Any = self
        return _mean(forest, rows, forest.n_classes_)


class RegressorKernel:
    """Overrides `predict` of a forest regressor."""

    def predict(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """See `sklearn.ensemble.RandomForestRegressor`."""
        rows = float32_rows(self, X)
        if rows is None:
            return super().predict(X)  # type: ignore[misc]  # of scikit-learn's class
        return _mean(self, rows, 1)[:, 0]


def float32_rows(forest: Any, given: Any) -> Array | None:
    """The rows as validation gives them to the trees; None if that is for validation to say.

    An array of shape (rows, features), float32. Infinities are left to scikit-learn's validation,
    and so are missing values, unless it lets them through.
    """
    if type(given) is pd.DataFrame:
        if given.columns.tolist() != _names(forest):
            return None
        given = given.to_numpy()
    if type(given) is not np.ndarray or given.ndim != 2 or given.dtype not in FLOATS:
        return None
    if given.shape[1] != forest.n_features_in_ or not len(given):
        return None
    with np.errstate(over="ignore"):  # what does not fit becomes an infinity, and is refused
        rows = given.astype(np.float32, order="C")
    if np.isfinite(rows).all() or (forest.kernel.nan_allowed and not np.isinf(rows).any()):
        return rows
    return None


def _mean(forest: Any, rows: Array, values: int) -> Array:
    """The mean over the trees, of shape (rows, values)."""
    kernel: Prepared = forest.kernel
    total = np.zeros((len(rows), values))
    if kernel.add_leaves:
        kernel.add_leaves(rows, total)
    else:
        for estimator in forest.estimators_:
            total += estimator.tree_.predict(rows)
    total /= len(forest.estimators_)
    return total


def _names(forest: Any) -> list[Any] | None:
    names = getattr(forest, "feature_names_in_", None)
    return None if names is None else names.tolist()
