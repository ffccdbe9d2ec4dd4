"""Allowed paths: the files that a job may read and write."""

import os
import re
import site
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from tasks.jobs.files.file_refs import JobDirectory, local_path
from telemetry.errors import PlaceForbidden

# A separator as in PATH, but not the colon of `s3://`.
_BETWEEN = re.compile(rf"{re.escape(os.pathsep)}(?!//)")
_ADVICE = "upload the file, use a path below one of PREDICTQ_BATCH_ROOTS, or send the local key"


class AllowedPaths:
    """Checks file references against the allowed paths.

    Allowed are the job's own directory and the paths that the operator names. The local key opens
    all that the server's user may read and write.
    """

    def __init__(self, setting: str, home: Path) -> None:
        """``setting``: paths and URIs, separated as in PATH; empty means none."""
        given = [root for root in _BETWEEN.split(setting) if root]
        self._remote = [root.rstrip("/") + "/" for root in given if "://" in root]
        self._named = [Path(root).expanduser().absolute() for root in given if "://" not in root]
        self._local = [_real(root) for root in self._named]
        self._home = _real(home)

    def source(self, uri: str, directory: JobDirectory, *, everywhere: bool = False) -> str:
        """The canonical form of an input's URI, links resolved; raises `PlaceForbidden`.

        ``directory`` is the job's own, the only part of the home that it may use. ``everywhere``:
        the caller has presented the local key, so any path is allowed.
        """
        path = local_path(uri)
        if path is None:
            return self._elsewhere(uri, everywhere=everywhere)
        if not path.is_absolute() or "\0" in str(path):
            raise _outside(uri)
        # Refuse by the name before resolving links: a dead mount would block the thread.
        if not (everywhere or self._names(path, directory)):
            raise _outside(uri)
        real = _real(path)
        if not (everywhere or real.is_relative_to(directory.path) or self._hold(real)):
            raise _outside(uri)
        if _is_special(real):
            raise PlaceForbidden(f"{uri} is not a regular file")
        return str(real)

    def target(self, uri: str, directory: JobDirectory, *, everywhere: bool = False) -> str:
        """As `source`, for an output; refuses predictq's own files even with the local key."""
        real = Path(self.source(uri, directory, everywhere=everywhere))
        if real.is_relative_to(directory.path):
            return str(real)
        if any(real.is_relative_to(kept) for kept in (self._home, *_program())):
            raise PlaceForbidden(f"{uri} is one of predictq's own files: use another path")
        return str(real)

    def _names(self, path: Path, directory: JobDirectory) -> bool:
        """Whether the name, links not resolved, is below ``directory`` or an allowed path."""
        plain = Path(os.path.normpath(path))
        return any(
            plain.is_relative_to(root) for root in (*self._named, *self._local, directory.path)
        )

    def _hold(self, real: Path) -> bool:
        """Whether an allowed path holds it. Hidden files and the home must be named explicitly."""
        allowed = [root for root in self._local if real.is_relative_to(root)]
        if real.is_relative_to(self._home):
            allowed = [root for root in allowed if self._home in root.parents]
        return any(not _is_hidden(real.relative_to(root)) for root in allowed)

    def _elsewhere(self, uri: str, *, everywhere: bool) -> str:
        root = next((root for root in self._remote if uri.startswith(root)), None)
        if everywhere or (root is not None and not _climbs(uri.removeprefix(root))):
            return uri
        raise _outside(uri)


def _outside(uri: str) -> PlaceForbidden:
    return PlaceForbidden(f"{uri} is outside the allowed paths: {_ADVICE}")


def _climbs(below: str) -> bool:
    """Whether part of a URI may lead out of its allowed prefix once it is unquoted."""
    # Unquoted until nothing changes: `%252e` is a dot only after the second time.
    while (plain := unquote(below)) != below:
        below = plain
    # fsspec chains file systems with `::`, and the next one may be any other.
    return "::" in below or ".." in re.split(r"[/\\]", below)


@lru_cache
def _program() -> tuple[Path, ...]:
    """Directories of predictq's code and of the Python that runs it."""
    source = str(Path(__file__).parents[3])
    installed = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib", "scripts")]
    directories = [source, sys.prefix, site.getusersitepackages(), *installed]
    return tuple({_real(Path(directory)) for directory in directories})


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _is_hidden(below: Path) -> bool:
    return any(part.startswith(".") for part in below.parts)


def _is_special(path: Path) -> bool:
    """Whether it is a pipe, device or socket: opening one may block forever."""
    # The functions of `os.path` report paths that cannot be inspected as missing.
    return os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path))
