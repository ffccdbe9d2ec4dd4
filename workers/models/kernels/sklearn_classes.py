"""Tells scikit-learn's own classes from others of the same name, without importing it."""

import sys
from collections.abc import Iterable
from typing import Any

TREES = frozenset(
    f"sklearn.tree._classes.{name}"
    for name in (
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "ExtraTreeClassifier",
        "ExtraTreeRegressor",
    )
)
"""The full names of single trees."""


COPIED = "copied_from"
"""The attribute of a class with a kernel that holds scikit-learn's own class."""


def is_copied(kind: type) -> bool:
    """Whether a class was made by `accelerating`, of one of scikit-learn's own."""
    return COPIED in vars(kind)


def original_name(kind: type) -> str:
    """The full name of a class, or of that which it was copied from.

    Empty if the class is not what its module has by this name.
    """
    kind = vars(kind).get(COPIED, kind)
    found = getattr(sys.modules.get(kind.__module__), kind.__qualname__, None)
    return f"{kind.__module__}.{kind.__qualname__}" if found is kind else ""


def are_trees(estimators: Iterable[Any]) -> bool:
    """Whether estimators are single trees of scikit-learn's own classes; there is at least one."""
    names = {original_name(type(estimator)) for estimator in estimators}
    return bool(names) and names <= TREES
