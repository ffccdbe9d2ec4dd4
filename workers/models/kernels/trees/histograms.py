"""Histogram gradient boosting whose trees are walked by a compiled loop.

The comparisons and the order in which the trees' values are added are scikit-learn's.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from workers.models.kernels.comparing import equal_bits
from workers.models.kernels.compiled.compiling import compiled_loops
from workers.models.kernels.compiled.layout import TreeArrays, lay_out
from workers.models.kernels.trees.thresholds import Splits, rows_on_thresholds, some_of
from workers.models.kernels.validated import plain_rows
from workers.models.tabular.columns import Array

CATEGORIES = 256
"""Numbers that bitsets tell apart."""


class PreparedHistograms(msgspec.Struct, frozen=True):
    """Boosted trees as `HistogramKernel` needs them."""

    add_leaves: Callable[[Array, Array], None]
    """See `machine_code.Loops.over`."""
    predictors: Any
    """The trees that were laid out, as scikit-learn holds them."""


class HistogramKernel:
    """Overrides the validation of plain floats, and the walk through all trees."""

    def _preprocess_X(self, X: Any, *, reset: bool) -> Any:
        boosted: Any = self
        if not reset and boosted._preprocessor is None:
            rows = plain_rows(boosted, X)
            if rows is not None and rows.dtype == np.float64:
                return rows
        return super()._preprocess_X(X, reset=reset)  # type: ignore[misc]  # of scikit-learn's class

    def _predict_iterations(
        self,
        X: Any,
        predictors: Any,
        raw_predictions: Any,
        is_binned: bool,
        n_threads: int,
    ) -> None:
        kernel: PreparedHistograms = self.kernel  # type: ignore[attr-defined]  # set by `accelerating`
        sums = raw_predictions.T  # the loop writes there, in the order of scikit-learn's own array
        plain = not is_binned and X.dtype == np.float64 and sums.flags.c_contiguous
        if plain and predictors is kernel.predictors:
            kernel.add_leaves(np.ascontiguousarray(X), sums)
        else:
            super()._predict_iterations(  # type: ignore[misc]  # of scikit-learn's class
                X, predictors, raw_predictions, is_binned, n_threads
            )


def prepare_histograms(boosted: Any) -> PreparedHistograms | None:
    """Lay out the trees of a fitted model; None if the loops could not be compiled.

    Raises what `lay_out` raises.
    """
    loops = compiled_loops()
    if loops is None or boosted._baseline_prediction.dtype != np.float64:
        return None
    known, index = boosted._bin_mapper.make_known_categories_bitsets()
    columns = len(index)
    known = known[index] if len(known) else np.zeros((columns, CATEGORIES // 32), np.uint32)
    predictors = [tree for trees in boosted._predictors for tree in trees]
    lefts = [np.asarray(tree.raw_left_cat_bitsets) for tree in predictors]
    firsts = np.cumsum([0, *map(len, lefts)])
    trees = [
        _tree(tree.nodes, columns, first, len(left))
        for tree, first, left in zip(predictors, firsts, lefts, strict=False)
    ]
    laid_out = lay_out(trees, 2 * columns, (1, 1))
    left = np.ascontiguousarray(np.concatenate(lefts), dtype=np.uint32)
    known = np.ascontiguousarray(known, dtype=np.uint32)
    add_leaves = loops.over("add_histogram_leaves", *laid_out.arrays(), left, known)
    return PreparedHistograms(add_leaves, boosted._predictors)


def _tree(nodes: Array, columns: int, first_split: int, splits: int) -> TreeArrays:
    """``first_split``: the row of the tree's first bitset among those of all trees."""
    leaf, categorical = nodes["is_leaf"].astype(bool), nodes["is_categorical"].astype(bool)
    row = nodes["bitset_idx"].astype(np.int64)
    if (row[categorical] >= splits).any() or (nodes["feature_idx"][~leaf] >= columns).any():
        raise ValueError("a tree has other nodes than scikit-learn gives it")
    feature = nodes["feature_idx"].astype(np.int64)
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    return TreeArrays(
        len(nodes),
        left,
        right,
        np.where(categorical, feature + columns, feature),
        np.where(categorical, first_split + row, nodes["num_threshold"]),
        nodes["missing_go_to_left"],
        nodes["value"].reshape(-1, 1, 1),
    )


def histograms_agree(original: Any, twin: Any) -> bool:
    """Whether the loop gives the bits of scikit-learn's own walk through all trees."""
    rows, answers = _compared_rows(original), []
    for model in (original, twin):
        raw = np.zeros((len(rows), original.n_trees_per_iteration_), order="F")
        raw += original._baseline_prediction
        model._predict_iterations(rows, original._predictors, raw, False, 1)
        answers.append(raw)
    return equal_bits(*answers)


def _compared_rows(boosted: Any) -> Array:
    """Rows as the trees get them: on and next to thresholds, infinite, missing, and categories."""
    _, index = boosted._bin_mapper.make_known_categories_bitsets()
    predictors = [tree for trees in boosted._predictors for tree in trees]
    splits = [
        Splits(
            np.where(tree.nodes["is_leaf"], -1, tree.nodes["feature_idx"]),
            tree.nodes["num_threshold"],
        )
        for tree in some_of(predictors)
    ]
    rows = rows_on_thresholds(splits, len(index), nan_allowed=True, dtype=np.float64)
    random = np.random.default_rng(1)
    rows[random.random(rows.shape) < 1 / 32] = np.inf
    rows[random.random(rows.shape) < 1 / 32] = -np.inf
    categorical = boosted._bin_mapper.is_categorical_
    if categorical is not None and categorical.any():
        drawn = random.integers(-1, CATEGORIES, size=rows.shape).astype(np.float64)
        drawn[np.isnan(rows)] = np.nan
        rows = np.where(categorical, drawn, rows)
    return rows
