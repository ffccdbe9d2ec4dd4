"""Imports skops without its walk through scikit-learn, which takes a second at each start.

When skops is imported, it lists all estimators of scikit-learn, and imports every module of it for
that. Here the list stays empty, and `is_estimator` looks at a type when a file names it.

Code of a model may import skops, too, and then needs the whole list. So the copy of skops that has
the empty list is not left among the imported modules.
"""

import importlib
import inspect
import sys
from functools import cache
from types import ModuleType
from typing import Any

_NO_ESTIMATORS = {"conftest", "estimator_checks", "experimental", "externals", "setup", "tests"}
"""Parts of scikit-learn that `sklearn.utils.all_estimators` does not look into."""


@cache
def skops_library() -> ModuleType:
    """The module `skops.io`; if it is not imported yet, a copy that trusts no estimators."""
    if "skops.io" in sys.modules:
        return sys.modules["skops.io"]
    utils: Any = importlib.import_module("sklearn.utils")
    walk, before = utils.all_estimators, _taken_out()
    utils.all_estimators = list
    try:
        return importlib.import_module("skops.io")
    finally:
        utils.all_estimators = walk
        _taken_out()
        sys.modules.update(before)


def _taken_out() -> dict[str, ModuleType]:
    """Take the modules of skops out of those that are imported."""
    names = [name for name in sys.modules if name.partition(".")[0] == "skops"]
    return {name: sys.modules.pop(name) for name in names}


def is_estimator(name: str) -> bool:
    """Whether a type is a public estimator of scikit-learn; skops trusts all of these."""
    module, _, own = name.rpartition(".")
    public = module.partition("._")[0]
    if (
        own.startswith("_")
        or not public.startswith("sklearn.")
        or _NO_ESTIMATORS.intersection(public.split("."))
    ):
        return False
    try:
        found: Any = getattr(importlib.import_module(public), own, None)
    except ImportError:
        return False
    return (
        inspect.isclass(found)
        and f"{found.__module__}.{found.__qualname__}" == name
        and _is_concrete_estimator(found)
    )


def _is_concrete_estimator(found: type) -> bool:
    base = importlib.import_module("sklearn.base").BaseEstimator
    return issubclass(found, base) and found is not base and not inspect.isabstract(found)
