"""Modules that belong to one version: two versions may have modules of the same names."""

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any


class VersionModules:
    """The modules below one directory, if it exists; others see none of them."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)
        paths: Iterable[Path] = directory.iterdir() if directory.is_dir() else ()
        self._tops = {path.name.partition(".")[0] for path in paths}
        self._own: dict[str, ModuleType] = {}

    @contextmanager
    def imported(self) -> Iterator[None]:
        """While the block runs, imports find this version's modules first."""
        theirs = self._taken(self._named(sys.modules) if self._is_hidden() else ())
        sys.modules.update(self._own)
        known, wrote = len(sys.modules), sys.dont_write_bytecode
        sys.path.insert(0, self._directory)
        sys.dont_write_bytecode = True  # the directory holds the version's files and no other
        try:
            yield
        finally:
            while self._directory in sys.path:  # the code may have added or removed it, too
                sys.path.remove(self._directory)
            sys.dont_write_bytecode = wrote
            is_more = len(sys.modules) != known or not self._own
            self._own = self._taken(self._named(sys.modules) if is_more else self._own)
            sys.modules.update(theirs)

    def found(self, module: str) -> Any:
        """A module of this version, imported at its first use; raises what its code raises."""
        with self.imported():
            importlib.invalidate_caches()
            return importlib.import_module(module)

    def _is_hidden(self) -> bool:
        """Whether others imported modules of the same names; told without a walk through all."""
        return not (self._own and sys.modules.keys().isdisjoint(self._tops))

    def _named(self, modules: Iterable[str]) -> list[str]:
        return [name for name in modules if name.partition(".")[0] in self._tops]

    @staticmethod
    def _taken(names: Iterable[str]) -> dict[str, ModuleType]:
        """Take modules out of those that are imported."""
        return {name: sys.modules.pop(name) for name in [*names] if name in sys.modules}
