"""Single trees: only the validation of their input is shorter."""

from typing import Any

import msgspec
import numpy as np

from workers.models.kernels.validated import float32_rows


class PreparedTree(msgspec.Struct, frozen=True):
    """What `TreeKernel` needs."""

    nan_allowed: bool
    """Whether scikit-learn lets missing values through to the tree."""


class TreeKernel:
    """Overrides the validation of `predict`, `predict_proba` and the other methods of a tree."""

    def _validate_X_predict(self, X: Any, check_input: bool) -> Any:
        tree: Any = self
        rows = None
        if check_input:
            rows = float32_rows(tree, X, nan_allowed=tree.kernel.nan_allowed)
        if rows is not None:
            return rows
        return super()._validate_X_predict(X, check_input)  # type: ignore[misc]  # of scikit-learn's class


def prepare_tree(tree: Any) -> PreparedTree | None:
    """Prepare a tree; None if it is not fitted."""
    return PreparedTree(allows_nan(tree)) if hasattr(tree, "tree_") else None


def allows_nan(tree: Any) -> bool:
    """Whether scikit-learn lets missing values through to a tree."""
    allows = getattr(tree, "_support_missing_values", lambda _: False)
    return bool(allows(np.zeros((1, tree.n_features_in_))))
