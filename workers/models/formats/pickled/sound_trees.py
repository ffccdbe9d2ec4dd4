"""Refuses trees whose nodes lead out of their arrays: native code would read other memory.

scikit-learn checks the types of these arrays when it loads a tree, but not where they point.
"""

from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from telemetry.errors import ModelUnloadable
from workers.models.tabular.columns import Array

_SCALARS = (str, bytes, int, float, complex, type, type(None), FunctionType, ModuleType)


def refuse_unsound_trees(model: Any) -> None:
    """Raise `ModelUnloadable` if a tree in any part of the model could not have been fitted."""
    for part in _parts(model):
        for attribute, is_sound in _CHECKS.items():
            if hasattr(part, attribute) and not _holds(is_sound, part):
                kind = type(part).__name__
                raise ModelUnloadable(f"the nodes of its {kind} lead out of the tree")


def _holds(is_sound: Callable[[Any], bool], part: Any) -> bool:
    try:
        return is_sound(part)
    except (AttributeError, IndexError, TypeError, ValueError):  # it lacks what fitting gives it
        return False


def _parts(model: Any) -> Iterator[Any]:
    """Every object in a model, once."""
    seen, pending = set[int](), [model]
    while pending:
        part = pending.pop()
        if isinstance(part, _SCALARS) or id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            pending += part.values()
        elif isinstance(part, list | tuple | set):
            pending += part
        elif isinstance(part, np.ndarray):
            pending += part.ravel().tolist() if part.dtype == object else []
        else:
            yield part
            pending += vars(part).values() if hasattr(part, "__dict__") else []


def _leads_down(left: Array, right: Array) -> bool:
    """Whether children come after their parents, as the builders put them, and exist.

    An array of child nodes for each; -1 in ``left`` marks a leaf. So each walk ends.
    """
    nodes = np.arange(len(left))
    inner = left != -1
    sides = (side[inner] for side in (left, right))
    return all(((side > nodes[inner]) & (side < len(left))).all() for side in sides)


def _is_sound_tree(estimator: Any) -> bool:
    tree = estimator.tree_
    if hasattr(tree, "get_arrays"):  # a k-d tree or ball tree, which has a check of its own
        return True
    inner = tree.children_left != -1
    features = tree.feature[inner]
    return (
        tree.n_features <= estimator.n_features_in_
        and bool(((features >= 0) & (features < tree.n_features)).all())
        and _leads_down(tree.children_left, tree.children_right)
    )


def _fits_its_members(ensemble: Any) -> bool:
    """An ensemble checks the rows for all of its trees, which look at them unchecked."""
    return all(
        getattr(member, "n_features_in_", 0) <= ensemble.n_features_in_
        for member in np.ravel(np.asarray(ensemble.estimators_, dtype=object))
        if hasattr(member, "tree_")
    )


def _is_sound_boosting(boosted: Any) -> bool:
    categorical = np.asarray(boosted._bin_mapper.is_categorical_, dtype=bool)
    if len(categorical) != boosted.n_features_in_:
        return False
    predictors = (tree for trees in boosted._predictors for tree in trees)
    return all(_is_sound_predictor(tree, categorical) for tree in predictors)


def _is_sound_predictor(tree: Any, categorical: Array) -> bool:
    nodes, splits = tree.nodes, len(tree.raw_left_cat_bitsets)
    inner = ~nodes["is_leaf"].astype(bool)
    left, right = (np.where(inner, nodes[s].astype(np.int64), -1) for s in ("left", "right"))
    by_category = inner & nodes["is_categorical"].astype(bool)
    return (
        bool((nodes["feature_idx"][inner] < len(categorical)).all())
        and bool(categorical[nodes["feature_idx"][by_category]].all())
        and bool((nodes["bitset_idx"][by_category] < splits).all())
        and _leads_down(left, right)
    )


def _is_sound_neighborhood(tree: Any) -> bool:
    """A k-d tree or ball tree: a binary heap of nodes, each with a slice of the points."""
    points, order, nodes, bounds = map(np.asarray, tree.get_arrays())
    start, end = nodes["idx_start"], nodes["idx_end"]
    inner = np.flatnonzero(~nodes["is_leaf"].astype(bool))
    return (
        bool(((order >= 0) & (order < len(points))).all())
        and len(order) == len(points)
        and bool(((start >= 0) & (start <= end) & (end <= len(points))).all())
        and bool((2 * inner + 2 < len(nodes)).all())
        and bounds.shape[1:] == (len(nodes), points.shape[1])
    )


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "tree_": _is_sound_tree,
    "estimators_": _fits_its_members,
    "_predictors": _is_sound_boosting,
    "get_arrays": _is_sound_neighborhood,
}
"""Attribute by which a part is recognised → whether its trees are as fitting makes them."""
