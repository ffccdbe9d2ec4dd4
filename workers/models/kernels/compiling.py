"""Compiles the loop with numba, and keeps its machine code in the user's cache directory.

numba unpickles its cache without checking it. So each build has a directory of its own, named after
everything that it was made from, with the SHA-256 of each file, which is compared before numba
reads one.
"""

import hashlib
import importlib
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from workers.models.kernels import loops
from workers.models.kernels.layout import NODE
from workers.models.user_cache import user_cache

log = logging.getLogger(__name__)
CHECKSUMS_FILE = "SHA256SUMS"


@cache
def compiled_loop() -> Callable[..., None] | None:
    """`loops.add_leaves` as machine code; None if numba is not installed or cannot compile it."""
    try:
        numba = importlib.import_module("numba")
    except ImportError:
        return None
    try:
        return _from_cache(numba) or _compiled(numba)
    except Exception:  # a compiler may raise anything, and every model works without it
        log.exception("the kernels cannot be compiled; each tree is computed by scikit-learn")
        return None


def _from_cache(numba: Any) -> Callable[..., None] | None:
    """The loop, loaded from the cache or compiled into it; None if the cache cannot be used."""
    try:
        base = user_cache("kernels")
        build = base / _key(numba)
        if not _is_intact(build):
            _build(numba, base, build)
        with tempfile.TemporaryFile(dir=build):  # else numba would look for another directory
            return _compiled(numba, build)
    except OSError as error:
        log.warning("compiled kernels are not cached: %s", error)
        return None


def _build(numba: Any, base: Path, build: Path) -> None:
    """Compile beside the directory of the build, and rename: others read it meanwhile."""
    staging = Path(tempfile.mkdtemp(dir=base))
    try:
        _compiled(numba, staging)
        (staging / CHECKSUMS_FILE).write_text(_sums(staging))
        if not _is_intact(build):  # another process may have built it meanwhile
            shutil.rmtree(build, ignore_errors=True)
            staging.rename(build)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _compiled(numba: Any, directory: Path | None = None) -> Callable[..., None]:
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(directory or "")
    try:
        decorate = numba.njit(_signature(numba), cache=directory is not None)
        loop: Callable[..., None] = decorate(loops.add_leaves)
        return loop
    finally:
        numba.config.CACHE_DIR = before


def _signature(numba: Any) -> Any:
    types = numba.types
    nodes = types.Array(numba.from_dtype(NODE), 1, "C")
    missing, roots = types.Array(types.uint8, 1, "C"), types.Array(types.int64, 1, "C")
    floats = types.Array(types.float64, 2, "C")
    return types.void(types.Array(types.float32, 2, "C"), nodes, missing, roots, floats, floats)


def _key(numba: Any) -> str:
    """A name that changes with the sources, the versions, the processor and the place."""
    source = Path(loops.__file__)
    llvm = importlib.import_module("llvmlite.binding")
    parts = [
        str(source),
        source.read_text(),
        str(_signature(numba)),
        *(version(name) for name in ("numba", "llvmlite", "numpy")),
        sys.version,
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _is_intact(build: Path) -> bool:
    try:
        return (build / CHECKSUMS_FILE).read_text() == _sums(build)
    except (OSError, UnicodeDecodeError):
        return False


def _sums(build: Path) -> str:
    files = sorted(
        path for path in build.rglob("*") if path.is_file() and path.name != CHECKSUMS_FILE
    )
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return "".join(
        f"{each}  {path.relative_to(build)}\n" for each, path in zip(sums, files, strict=True)
    )
