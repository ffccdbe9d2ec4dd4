"""Imports skops without its walk through scikit-learn, which takes a second at each start.

When skops is imported, it lists all estimators of scikit-learn, and imports every module of it for
that. Here the list stays empty, and `is_estimator` looks at a type when a file names it.
"""

import importlib
import inspect
from functools import cache
from types import ModuleType
from typing import Any

_NO_ESTIMATORS = {"conftest", "estimator_checks", "experimental", "externals", "setup", "tests"}
"""Parts of scikit-learn that `sklearn.utils.all_estimators` does not look into."""


@cache
def skops_library() -> ModuleType:
    """The module `skops.io`; the types that it trusts lack scikit-learn's estimators."""
    utils: Any = importlib.import_module("sklearn.utils")
    walk = utils.all_estimators
    utils.all_estimators = list
    try:
        return importlib.import_module("skops.io")
    finally:
        utils.all_estimators = walk


def is_estimator(name: str) -> bool:
    """Whether a type is a public estimator of scikit-learn; skops trusts all of these."""
    module, _, own = name.rpartition(".")
    public = module.partition("._")[0]
    if not public.startswith("sklearn.") or _NO_ESTIMATORS.intersection(public.split(".")):
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
