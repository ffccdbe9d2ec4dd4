"""Gradient boosting: its input is validated once, and the first prediction is kept.

The trees are walked by scikit-learn's own loop.
"""

from typing import Any

import msgspec
import numpy as np

from workers.models.kernels.sklearn_classes import are_trees
from workers.models.kernels.validated import float32_rows
from workers.models.tabular.columns import Array

CONSTANT = frozenset({"prior", "most_frequent", "mean", "median", "quantile"})
"""Strategies of dummy estimators that give each row the same prediction."""


class PreparedBoosting(msgspec.Struct, frozen=True):
    """What the kernels of gradient boosting need."""

    first: Array
    """The raw prediction before the first tree, of shape (1, values)."""


class _BoostingKernel:
    def _raw_predict_init(self, X: Any) -> Array:
        boosted: Any = self
        return np.repeat(boosted.kernel.first, X.shape[0], axis=0)


class BoostingClassifierKernel(_BoostingKernel):
    """Overrides `decision_function`; the other methods call it."""

    def decision_function(self, X: Any) -> Any:
        """See `sklearn.ensemble.GradientBoostingClassifier`."""
        rows = float32_rows(self, X, nan_allowed=False)
        if rows is None:
            return super().decision_function(X)  # type: ignore[misc]  # of scikit-learn's class
        boosted: Any = self
        raw = boosted._raw_predict(rows)
        return raw.ravel() if raw.shape[1] == 1 else raw


class BoostingRegressorKernel(_BoostingKernel):
    """Overrides `predict`."""

    def predict(self, X: Any) -> Any:
        """See `sklearn.ensemble.GradientBoostingRegressor`."""
        rows = float32_rows(self, X, nan_allowed=False)
        if rows is None:
            return super().predict(X)  # type: ignore[misc]  # of scikit-learn's class
        boosted: Any = self
        return boosted._raw_predict(rows).ravel()


def prepare_boosting(boosted: Any) -> PreparedBoosting | None:
    """Compute the first prediction.

    None if it depends on the row, or if there are trees of other classes than scikit-learn's own.
    """
    if not are_trees(np.ravel(getattr(boosted, "estimators_", []))):
        return None
    first = boosted.init_
    if first != "zero" and not (
        type(first).__module__ == "sklearn.dummy" and first.strategy in CONSTANT
    ):
        return None
    row = np.zeros((1, boosted.n_features_in_), dtype=np.float32)
    return PreparedBoosting(boosted._raw_predict_init(row))
