"""Imports SciPy, and so scikit-learn, without the texts that SciPy computes for its documentation.

SciPy parses the docstrings of some 700 functions when it is imported, adds a paragraph to each, and
puts it together again. That is a quarter of what a fork server computes until it has a model of
scikit-learn: with SciPy 1.17, 0.7 of 2.8 CPU seconds on two cores. Here these
functions are left with shorter docstrings. All else is the same.

What is replaced is private to SciPy. A version that lacks it is imported at its usual speed.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


def shorten_imports() -> None:
    """Make imports of SciPy's packages short from now on."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds the packages of SciPy where they are, and has them executed in the short way."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `MetaPathFinder`."""
        parent, _, name = fullname.rpartition(".")
        if parent != "scipy" or name.startswith("_"):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.loader:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Executes a module without docstrings, and leaves it with the loader that it has otherwise."""

    def __init__(self, usual: Loader) -> None:
        self._usual = usual

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """See `Loader`."""
        return self._usual.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """See `Loader`."""
        module.__loader__ = self._usual
        if module.__spec__:
            module.__spec__.loader = self._usual
        with without_docstrings():
            self._usual.exec_module(module)


@contextmanager
def without_docstrings() -> Iterator[None]:
    """Inside the context, SciPy does not compute docstrings."""
    with ExitStack() as stack:
        for module, path, shortcut in _SHORTCUTS:
            with suppress(ImportError, AttributeError):
                stack.enter_context(_replaced(importlib.import_module(module), path, shortcut))
        yield


@contextmanager
def _replaced(module: ModuleType, path: str, shortcut: Callable[..., Any]) -> Iterator[None]:
    """Raises AttributeError if there is nothing to replace."""
    owner: Any = module
    *owners, name = path.split(".")
    for each in owners:
        owner = getattr(owner, each)
    usual = getattr(owner, name)
    setattr(owner, name, shortcut)
    try:
        yield
    finally:
        setattr(owner, name, usual)


def _describe_no_function(doc: Any, func: Any, role: str = "func", *_: Any, **__: Any) -> None:
    """Stands for `FunctionDoc.__init__`: a docstring of which all sections are empty."""
    empty = {name: type(section)() for name, section in doc.sections.items()}
    vars(doc).update(_f=func, _role=role, _parsed_data=empty)


_SHORTCUTS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("scipy._lib._docscrape", "FunctionDoc.__init__", _describe_no_function),
    ("scipy._lib._docscrape", "NumpyDocString._parse", lambda _: None),
    ("scipy._lib.doccer", "docformat", lambda text, *_: text),
    ("scipy._lib._array_api", "_make_capabilities_note", lambda *_, **__: ""),
)
"""Module, path inside it, and what is shorter."""
