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


def own_name(kind: type) -> str:
    """The full name of a class; empty if the class is not what its module has by this name."""
    found = getattr(sys.modules.get(kind.__module__), kind.__qualname__, None)
    return f"{kind.__module__}.{kind.__qualname__}" if found is kind else ""


def are_trees(estimators: Iterable[Any]) -> bool:
    """Whether estimators are single trees of scikit-learn's own classes; there is at least one."""
    names = {own_name(type(estimator)) for estimator in estimators}
    return bool(names) and names <= TREES
