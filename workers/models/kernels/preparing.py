"""Prepares a forest for its kernel, and compares the kernel with scikit-learn's own method."""

import warnings
from collections.abc import Callable
from typing import Any

import joblib
import msgspec
import numpy as np

from workers.models.kernels.compiling import compiled_loop
from workers.models.kernels.layout import lay_out
from workers.models.tabular.columns import Array

COMPARED_ROWS = 256
COMPARED_VALUES = 2**20
"""Most values of the rows that are compared, for models of many columns."""
SAMPLED_TREES = 64
"""Trees whose thresholds are in the rows that are compared; the rows go through all trees."""
SAMPLED_NODES = 4096
"""Nodes of each of these trees whose thresholds may be in the rows: arrays of all nodes of a large
forest would stay in the memory of the fork server after they are freed."""


class Prepared(msgspec.Struct, frozen=True):
    """A forest as its kernel needs it."""

    add_leaves: Callable[[Array, Array], None] | None
    """See `machine_code.Loop.over`; None if the loop could not be compiled."""
    nan_allowed: bool
    """Whether scikit-learn lets missing values through to these trees."""


def prepare(forest: Any) -> Prepared:
    """Lay out the trees of a fitted forest with one output; raises what `lay_out` raises."""
    columns = forest.n_features_in_
    allows = getattr(forest.estimators_[0], "_support_missing_values", lambda _: False)
    loop, nan_allowed = compiled_loop(), bool(allows(np.zeros((1, columns))))
    if loop is None:
        return Prepared(None, nan_allowed)
    trees = [estimator.tree_ for estimator in forest.estimators_]
    laid_out = lay_out(trees, columns, getattr(forest, "n_classes_", 1))
    return Prepared(loop.over(laid_out), nan_allowed)


def agrees(forest: Any, twin: Any) -> bool:
    """Whether a kernel gives the bits of its forest on and next to thresholds."""
    rows = rows_on_thresholds(forest, nan_allowed=twin.kernel.nan_allowed)
    method = "predict_proba" if hasattr(forest, "predict_proba") else "predict"
    with (
        warnings.catch_warnings(),
        joblib.parallel_config(backend="sequential"),  # the fork server must not start threads
    ):
        warnings.simplefilter("ignore")  # rows without the names of columns
        own, found = getattr(forest, method)(rows), getattr(twin, method)(rows)
    same = own.dtype == found.dtype and own.shape == found.shape
    return bool(same and own.tobytes() == found.tobytes())


def rows_on_thresholds(forest: Any, *, nan_allowed: bool) -> Array:
    """Rows (rows, columns), float32: each value is a threshold of its column, or next to one."""
    columns, random = forest.n_features_in_, np.random.default_rng(0)
    shape = max(1, min(COMPARED_ROWS, COMPARED_VALUES // columns)), columns
    step = -(-len(forest.estimators_) // SAMPLED_TREES)
    trees = [estimator.tree_ for estimator in forest.estimators_[::step]]
    nodes = [_some_nodes(tree.node_count, random) for tree in trees]
    feature = np.concatenate([t.feature[at] for t, at in zip(trees, nodes, strict=True)])
    order = np.argsort(feature, kind="stable")
    thresholds = np.concatenate([t.threshold[at] for t, at in zip(trees, nodes, strict=True)])
    sorted_thresholds = thresholds[order]
    first = np.searchsorted(feature[order], np.arange(columns + 1))
    picked = first[:-1] + (random.random(shape) * np.diff(first)).astype(np.int64)
    near = sorted_thresholds[np.minimum(picked, len(order) - 1)].astype(np.float32)
    side = random.choice(np.array([-np.inf, 0, np.inf], dtype=np.float32), shape)
    rows = np.where(side == 0, near, np.nextafter(near, side))
    rows[~np.isfinite(rows)] = 0
    if nan_allowed:
        rows[random.random(shape) < 1 / 16] = np.nan
    return rows


def _some_nodes(count: int, random: np.random.Generator) -> Array:
    """Indices of all nodes of a tree, or of `SAMPLED_NODES` at random."""
    if count <= SAMPLED_NODES:
        return np.arange(count)
    return random.integers(count, size=SAMPLED_NODES)
