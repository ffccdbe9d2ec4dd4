"""Isolation forests: a compiled loop adds what scikit-learn adds for the leaf of each tree."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from workers.models.kernels.comparing import same_bits
from workers.models.kernels.compiled.compiling import compiled_loops
from workers.models.kernels.compiled.layout import TreeArrays, lay_out
from workers.models.kernels.sklearn_classes import are_trees
from workers.models.kernels.trees.thresholds import rows_on_thresholds, splits_of
from workers.models.kernels.validated import float32_rows
from workers.models.tabular.columns import Array


class PreparedIsolation(msgspec.Struct, frozen=True):
    """What `IsolationKernel` needs."""

    add_leaves: Callable[[Array, Array], None]
    """See `machine_code.Loops.over`; a leaf's value is the depth that it stands for."""
    denominator: float
    """What the sum of the depths is divided by."""


class IsolationKernel:
    """Overrides `score_samples`; the other methods call it."""

    def score_samples(self, X: Any) -> Any:
        """See `sklearn.ensemble.IsolationForest`."""
        forest: Any = self
        kernel: PreparedIsolation = forest.kernel
        rows = float32_rows(forest, X, nan_allowed=False)
        if rows is None:
            return super().score_samples(X)  # type: ignore[misc]  # of scikit-learn's class
        depths = np.zeros(len(rows))
        kernel.add_leaves(rows, depths.reshape(-1, 1))
        return -(2 ** -np.divide(depths, kernel.denominator))


def prepare_isolation(forest: Any) -> PreparedIsolation | None:
    """Lay out the trees of a fitted forest; raises what `lay_out` raises.

    None if the loops could not be compiled, if trees see some of the columns only, or if they were
    fitted on a single row.
    """
    loops = compiled_loops()
    if loops is None or not are_trees(getattr(forest, "estimators_", [])):
        return None
    if forest._max_features != forest.n_features_in_:
        return None
    trees = [_tree(forest, number) for number in range(len(forest.estimators_))]
    laid_out = lay_out(trees, forest.n_features_in_, (1, 1))
    denominator = _denominator(forest)
    if denominator == 0:
        return None
    return PreparedIsolation(loops.over("add_leaves", *laid_out.arrays()), denominator)


def _tree(forest: Any, number: int) -> TreeArrays:
    tree = forest.estimators_[number].tree_
    depths = (
        forest._decision_path_lengths[number] + forest._average_path_length_per_tree[number] - 1.0
    )
    return TreeArrays(
        *(tree.node_count, tree.children_left, tree.children_right, tree.feature),
        *(tree.threshold, tree.missing_go_to_left, depths.reshape(-1, 1, 1)),
    )


def _denominator(forest: Any) -> float:
    from sklearn.ensemble._iforest import (  # noqa: PLC0415 - it takes seconds, and is loaded here
        _average_path_length,
    )

    length: float = _average_path_length([forest._max_samples])[0]
    return len(forest.estimators_) * length


def isolation_agrees(original: Any, twin: Any) -> bool:
    """`same_bits` on and next to the thresholds of the trees."""
    splits = splits_of(original.estimators_)
    return same_bits(
        original, twin, rows_on_thresholds(splits, original.n_features_in_, nan_allowed=False)
    )
