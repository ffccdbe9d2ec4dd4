"""Rows whose values are thresholds of trees, or next to them, to compare kernels on."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from workers.models.tabular.columns import Array

COMPARED_ROWS = 256
COMPARED_VALUES = 2**20
"""Most values of the rows that are compared, for models of many columns."""
SAMPLED_TREES = 64
"""Trees whose thresholds are in the rows that are compared; the rows go through all trees."""
SAMPLED_NODES = 4096
"""Nodes of each of these trees whose thresholds may be in the rows: arrays of all nodes of a large
forest would stay in the memory of the fork server after they are freed."""


class Splits(msgspec.Struct, frozen=True):
    """The column and the threshold of each node of a tree; the column of a leaf is negative."""

    feature: Array
    threshold: Array


def splits_of(estimators: Sequence[Any]) -> list[Splits]:
    """The nodes of some of the single trees of a model."""
    trees = [estimator.tree_ for estimator in some_of(estimators)]
    return [Splits(tree.feature, tree.threshold) for tree in trees]


def some_of(trees: Sequence[Any]) -> Sequence[Any]:
    """At most `SAMPLED_TREES` of these trees."""
    return trees[:: -(-len(trees) // SAMPLED_TREES)]


def rows_on_thresholds(
    trees: Sequence[Splits], columns: int, *, nan_allowed: bool, dtype: Any = np.float32
) -> Array:
    """Rows (rows, columns): each value is a threshold of its column, or next to one."""
    random = np.random.default_rng(0)
    shape = max(1, min(COMPARED_ROWS, COMPARED_VALUES // columns)), columns
    nodes = [_some_nodes(len(tree.feature), random) for tree in trees]
    feature = np.concatenate([t.feature[at] for t, at in zip(trees, nodes, strict=True)])
    order = np.argsort(feature, kind="stable")
    thresholds = np.concatenate([t.threshold[at] for t, at in zip(trees, nodes, strict=True)])
    sorted_thresholds = thresholds[order]
    first = np.searchsorted(feature[order], np.arange(columns + 1))
    picked = first[:-1] + (random.random(shape) * np.diff(first)).astype(np.int64)
    near = sorted_thresholds[np.minimum(picked, len(order) - 1)].astype(dtype)
    side = random.choice(np.array([-np.inf, 0, np.inf], dtype=dtype), shape)
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
