"""Lays out the nodes of many trees one after the other, as `loops` walks them."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from workers.models.tabular.columns import Array

NODE = np.dtype([("threshold", "<f8"), ("feature", "<i4"), ("child", "<i4")])
"""A node. The children lie side by side, the left one at ``child``. A leaf leads to itself, and its
feature is -1 less the row of its values."""
MAX_NODES = 2**31 - 1
"""Most nodes of all trees together, as children are numbered with 32 bits."""


class TreeArrays(msgspec.Struct, frozen=True):
    """The arrays of ``sklearn.tree._tree.Tree`` that `lay_out` reads, with other leaf values."""

    node_count: int
    children_left: Array
    children_right: Array
    feature: Array
    threshold: Array
    missing_go_to_left: Array
    value: Array


class Trees(msgspec.Struct, frozen=True):
    """Trees, laid out."""

    nodes: Array
    """Nodes, of dtype `NODE`."""
    left_if_missing: Array
    """uint8: whether a missing value goes left; one entry a node."""
    roots: Array
    """int64: the first node of each tree."""
    values: Array
    """float64, of shape (leaves, values)."""

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """What `loops` take first between the rows and the sums."""
        return self.nodes, self.left_if_missing, self.roots, self.values


def lay_out(trees: Sequence[Any], features: int, shape: tuple[int, int]) -> Trees:
    """Lay out trees of type ``sklearn.tree._tree.Tree``, or `TreeArrays`, in their order.

    ``features``: how many features nodes may have; ``shape``: outputs, and values of each output in
    a leaf. Raises `ValueError` if a tree is not as scikit-learn builds it, or there are too many
    nodes.
    """
    sizes = [tree.node_count for tree in trees]
    if sum(sizes) > MAX_NODES:
        raise ValueError("the trees have too many nodes")
    for tree in trees:
        _check(tree, features, shape)
    leaves = [int((tree.children_left < 0).sum()) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]], dtype=np.int64)
    firsts = np.cumsum([0, *leaves[:-1]])
    # Filled in place: what is copied and freed would stay in the memory of the fork server.
    laid_out = Trees(
        nodes=np.zeros(sum(sizes), dtype=NODE),
        left_if_missing=np.zeros(sum(sizes), dtype=np.uint8),
        roots=roots,
        values=np.zeros((sum(leaves), shape[0] * shape[1])),
    )
    for tree, root, first_leaf in zip(trees, roots, firsts, strict=True):
        _lay_out_tree(tree, root, first_leaf, laid_out)
    return laid_out


def _check(tree: Any, features: int, shape: tuple[int, int]) -> None:
    """Raise `ValueError` unless each node but the root is the child of one earlier node.

    Walking a tree then ends, and reads nothing outside of it.
    """
    left, right, at = tree.children_left, tree.children_right, np.arange(tree.node_count)
    split = left >= 0
    children = np.concatenate([left[split], right[split]])
    if not (
        np.array_equal(np.sort(children), at[1:])
        and (left[split] > at[split]).all()
        and (right[split] > at[split]).all()
        and (tree.feature[split] >= 0).all()
        and (tree.feature[split] < features).all()
        and tree.value.shape == (tree.node_count, *shape)
    ):
        raise ValueError("a tree has other nodes than scikit-learn gives it")


def _lay_out_tree(tree: Any, root: int, first_leaf: int, laid_out: Trees) -> None:
    """Fill in the nodes of one tree from ``root`` on, and its leaves from ``first_leaf`` on."""
    left, split = tree.children_left, np.flatnonzero(tree.children_left >= 0)
    leaf = np.flatnonzero(left < 0)
    index = np.full(tree.node_count, root, dtype=np.int64)
    index[left[split]] += 1 + 2 * np.arange(len(split))
    index[tree.children_right[split]] += 2 + 2 * np.arange(len(split))
    nodes = laid_out.nodes
    nodes["threshold"][index[split]] = tree.threshold[split]
    nodes["feature"][index[split]] = tree.feature[split]
    nodes["child"][index[split]] = index[left[split]]
    laid_out.left_if_missing[index] = tree.missing_go_to_left
    nodes["feature"][index[leaf]] = -1 - first_leaf - np.arange(len(leaf))
    nodes["threshold"][index[leaf]] = np.inf
    nodes["child"][index[leaf]] = index[leaf]
    laid_out.left_if_missing[index[leaf]] = 1
    laid_out.values[first_leaf : first_leaf + len(leaf)] = tree.value[leaf].reshape(len(leaf), -1)
