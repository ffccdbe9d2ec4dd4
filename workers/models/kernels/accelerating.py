"""Replaces estimators that have a kernel, also inside pipelines and meta-estimators."""

import logging
import sys
from functools import cache
from typing import Any

from telemetry.logs import of_version
from workers.models.kernels.forests import ClassifierKernel, RegressorKernel
from workers.models.kernels.preparing import agrees, prepare

log = logging.getLogger(__name__)

# By name: importing scikit-learn takes seconds, which models of other libraries need not wait for.
_KERNELS: dict[str, type] = {
    "sklearn.ensemble._forest.RandomForestClassifier": ClassifierKernel,
    "sklearn.ensemble._forest.ExtraTreesClassifier": ClassifierKernel,
    "sklearn.ensemble._forest.RandomForestRegressor": RegressorKernel,
    "sklearn.ensemble._forest.ExtraTreesRegressor": RegressorKernel,
}
_TREES = frozenset(
    f"sklearn.tree._classes.{name}"
    for name in (
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "ExtraTreeClassifier",
        "ExtraTreeRegressor",
    )
)
_PARTS = {
    "sklearn.pipeline.Pipeline": "steps",
    "sklearn.ensemble._voting.VotingClassifier": "estimators_",
    "sklearn.ensemble._voting.VotingRegressor": "estimators_",
    "sklearn.model_selection._search.GridSearchCV": "best_estimator_",
    "sklearn.model_selection._search.RandomizedSearchCV": "best_estimator_",
}
"""Meta-estimators, and the attribute that holds what they ask."""


def accelerated(model: Any, reference: str) -> Any:
    """A model that gives the same bits sooner; the model itself if no part of it has a kernel.

    The model is not changed: what differs is a shallow copy. Only scikit-learn's own classes are
    replaced or looked into, never subclasses of them. ``reference``: the version, for the log.
    """
    kind: Any = type(model)
    name = _own_name(kind)
    if name in _KERNELS:
        return _with_kernel(model, _kernel_class(kind, name), reference)
    if name not in _PARTS or not hasattr(model, _PARTS[name]):
        return model
    parts = getattr(model, _PARTS[name])
    found = _replaced(parts, reference)
    return model if found is parts else _copy(model, kind, **{_PARTS[name]: found})


def _with_kernel(forest: Any, kind: Any, reference: str) -> Any:
    try:
        if not _is_plain(forest):
            return forest
        twin = _copy(forest, kind, kernel=prepare(forest))
        if agrees(forest, twin):
            return twin
        fault = "it gives other bits than scikit-learn"
    # A damaged forest raises anything, a large one `MemoryError`; both may be served without.
    except Exception as error:  # noqa: BLE001
        fault = f"{type(error).__name__}: {error}"
    log.warning("no kernel: %s", fault, extra=of_version(reference))
    return forest


def _own_name(kind: type) -> str:
    """The full name of a class; empty if the class is not what its module has by this name."""
    found = getattr(sys.modules.get(kind.__module__), kind.__qualname__, None)
    return f"{kind.__module__}.{kind.__qualname__}" if found is kind else ""


def _is_plain(forest: Any) -> bool:
    """Whether a forest has one output, and trees of scikit-learn's own classes."""
    trees = getattr(forest, "estimators_", None)
    if not trees or forest.n_outputs_ != 1:
        return False
    return all(_own_name(type(tree)) in _TREES for tree in trees)


def _replaced(parts: Any, reference: str) -> Any:
    """An estimator, a list of them, or a list of named ones; the same object if none differs."""
    if not isinstance(parts, list):
        return accelerated(parts, reference)
    found = [_replaced_step(part, reference) for part in parts]
    same = all(one is other for one, other in zip(found, parts, strict=True))
    return parts if same else found


def _replaced_step(part: Any, reference: str) -> Any:
    if not isinstance(part, tuple):
        return accelerated(part, reference)
    name, step = part
    found = accelerated(step, reference)
    return part if found is step else (name, found)


def _copy(model: Any, kind: Any, **changed: Any) -> Any:
    twin = kind.__new__(kind)
    twin.__dict__.update(model.__dict__ | changed)
    return twin


@cache
def _kernel_class(kind: Any, name: str) -> Any:
    """A subclass of the same name, as scikit-learn's messages name the class."""
    return type(kind)(kind.__name__, (_KERNELS[name], kind), {"__module__": kind.__module__})
