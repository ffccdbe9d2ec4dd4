"""Forests whose trees are walked by a compiled loop, without joblib and repeated validation.

The comparisons, the order in which the trees' values are added, and the division at the end are
scikit-learn's, so the bits are those of ``n_jobs=1``. Without the loop each tree is asked directly.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from workers.models.kernels.compiled.compiling import compiled_loops
from workers.models.kernels.compiled.layout import lay_out
from workers.models.kernels.sklearn_classes import are_trees
from workers.models.kernels.trees.single_trees import allows_nan
from workers.models.kernels.validated import float32_rows
from workers.models.tabular.columns import Array


class PreparedForest(msgspec.Struct, frozen=True):
    """A forest as its kernel needs it."""

    add_leaves: Callable[[Array, Array], None] | None
    """See `machine_code.Loops.over`; None if the loops could not be compiled."""
    shape: tuple[int, int]
    """Outputs, and values of each output in a leaf."""
    nan_allowed: bool
    """Whether scikit-learn lets missing values through to these trees."""


class ClassifierKernel:
    """Overrides `predict_proba` of a forest classifier; its other methods call this one."""

    def predict_proba(self, X: Any) -> Any:
        """See `sklearn.ensemble.RandomForestClassifier`."""
        forest: Any = self
        mean = _mean(forest, X)
        if mean is None:
            return super().predict_proba(X)  # type: ignore[misc]  # of scikit-learn's class
        if forest.n_outputs_ == 1:
            return mean[:, 0]
        return [
            np.ascontiguousarray(mean[:, output, :classes])
            for output, classes in enumerate(forest.n_classes_)
        ]


class RegressorKernel:
    """Overrides `predict` of a forest regressor."""

    def predict(self, X: Any) -> Any:
        """See `sklearn.ensemble.RandomForestRegressor`."""
        forest: Any = self
        mean = _mean(forest, X)
        if mean is None:
            return super().predict(X)  # type: ignore[misc]  # of scikit-learn's class
        return mean[:, 0, 0] if forest.n_outputs_ == 1 else mean[:, :, 0]


def prepare_forest(forest: Any) -> PreparedForest | None:
    """Lay out the trees of a fitted forest; raises what `lay_out` raises.

    None if it is not fitted, or has trees of other classes than scikit-learn's own.
    """
    if not are_trees(getattr(forest, "estimators_", [])):
        return None
    trees = [estimator.tree_ for estimator in forest.estimators_]
    shape = forest.n_outputs_, trees[0].value.shape[2]
    nan_allowed, loops = allows_nan(forest.estimators_[0]), compiled_loops()
    if loops is None:
        return PreparedForest(None, shape, nan_allowed)
    laid_out = lay_out(trees, forest.n_features_in_, shape)
    return PreparedForest(loops.over("add_leaves", *laid_out.arrays()), shape, nan_allowed)


def _mean(forest: Any, given: Any) -> Array | None:
    """The mean over the trees, of shape (rows, outputs, values); None if the input is unusual."""
    kernel: PreparedForest = forest.kernel
    rows = float32_rows(forest, given, nan_allowed=kernel.nan_allowed)
    if rows is None:
        return None
    total = np.zeros((len(rows), *kernel.shape))
    if kernel.add_leaves:
        kernel.add_leaves(rows, total.reshape(len(rows), -1))
    else:
        for estimator in forest.estimators_:
            total += estimator.tree_.predict(rows).reshape(total.shape)
    total /= len(forest.estimators_)
    return total
