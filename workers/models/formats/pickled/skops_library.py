"""Imports skops without its two walks, which take a second each at each start.

When skops is imported, it lists all estimators of scikit-learn, and imports every module of it for
that. Here the list stays empty, and `is_estimator` looks at a type when a file names it.
It also looks through all modules for each ufunc of NumPy and SciPy. Here that is done once for all.

Code of a model may import skops, too, and then needs the whole list. So the copy of skops that has
the empty list is not left among the imported modules.
"""

import importlib
import inspect
import sys
from functools import cache
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any

import numpy as np

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
    finder = _UfuncFinder()
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module("skops.io")
    finally:
        finder.end()
        sys.meta_path.remove(finder)
        utils.all_estimators = walk
        _taken_out()
        sys.modules.update(before)


class _UfuncFinder(MetaPathFinder):
    """Lets skops find modules of ufuncs in a table, while `skops.io._trusted_types` is imported.

    It finds no module itself; being asked for one tells that skops has come so far.
    """

    def __init__(self) -> None:
        self._utils: Any = None
        self._search: Any = None

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        """See `MetaPathFinder`."""
        if fullname == "skops.io._trusted_types" and "skops.io._utils" in sys.modules:
            self._utils = sys.modules["skops.io._utils"]
            self._search, table = self._utils.whichmodule, _modules_of_ufuncs()
            self._utils.whichmodule = lambda each, name: (
                table.get(id(each)) or self._search(each, name)
            )

    def end(self) -> None:
        """Give skops its own search back."""
        if self._utils:
            self._utils.whichmodule = self._search


def _modules_of_ufuncs() -> dict[int, str]:
    """The id of each ufunc → the first module that has it under its own name, as skops finds it."""
    found: dict[int, str] = {}
    for module_name, module in sys.modules.copy().items():
        if module_name == "__main__":
            continue
        for name, value in getattr(module, "__dict__", {}).copy().items():
            if _is_homeless_ufunc(value) and value.__name__ == name:
                found.setdefault(id(value), module_name)
    return found


def _is_homeless_ufunc(value: Any) -> bool:
    return isinstance(value, np.ufunc) and getattr(value, "__module__", None) is None


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
