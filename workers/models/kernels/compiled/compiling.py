"""Keeps the machine code of the loops in the user's cache directory, and compiles them once.

The name of the file says everything that it was made from. LLVM does not check what it loads, so
the SHA-256 of the code stands before it, and a damaged file is built again.
"""

import hashlib
import importlib
import logging
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

from registry.storage.files import locked, write_file
from workers.models.kernels.compiled import building, entries, layout, loops, machine_code
from workers.models.user_cache import user_cache

log = logging.getLogger(__name__)


@cache
def compiled_loops() -> machine_code.Loops | None:
    """The functions of `loops` as machine code; None if numba is missing or cannot compile them."""
    try:
        return machine_code.Loops(_from_cache() or building.checked(building.built()))
    except ImportError:
        return None
    except Exception:  # a compiler may raise anything, and every model works without it
        log.exception("the kernels cannot be compiled; scikit-learn computes without them")
        return None


def _from_cache() -> bytes | None:
    """The object file, built if need be; None if the cache cannot be used."""
    try:
        path = user_cache("kernels") / _key()
        return _read(path) or _build(path)
    except OSError as error:
        log.warning("compiled kernels are not cached: %s", error)
        return None


def _read(path: Path) -> bytes | None:
    try:
        return building.checked(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _build(path: Path) -> bytes:
    """Compile into the cache, one process at a time."""
    with locked(path.with_suffix(".lock")):
        if found := _read(path):  # another process has built it meanwhile
            return found
        content = building.built()
        write_file(path, content)
        return building.checked(content)


def _key() -> str:
    """A name that changes with the sources, the versions and the processor."""
    llvm = importlib.import_module("llvmlite.binding")
    sources = loops, layout, entries, building, machine_code
    parts = [
        *(Path(str(module.__file__)).read_text() for module in sources),
        *(version(name) for name in ("numba", "llvmlite", "numpy")),
        sys.version,
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
