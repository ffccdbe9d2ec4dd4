"""Which places jobs may use: their own folder, what the operator names, and what a key opens."""

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

_BETWEEN = re.compile(rf"{re.escape(os.pathsep)}(?!//)")
_ADVICE = (
    "send the file, name a place below a root of PREDICTQ_BATCH_ROOTS, or present the local key"
)


class AllowedPaths:
    """The places where callers may let jobs read and write."""

    def __init__(self, setting: str, home: Path) -> None:
        """``setting``: paths and URIs, separated as in PATH; empty means none."""
        given = [root for root in _BETWEEN.split(setting) if root]
        self._remote = [root.rstrip("/") + "/" for root in given if "://" in root]
        self._named = [Path(root).expanduser().absolute() for root in given if "://" not in root]
        self._local = [_real(root) for root in self._named]
        self._home = _real(home)

    def source(self, uri: str, own: JobDirectory, *, everywhere: bool = False) -> str:
        """The place of an input as it is to be kept, links followed; raises `PlaceForbidden`.

        ``own`` is the directory of the job that asks: of what lies in our home it has that alone.
        ``everywhere``: whoever asks may name what the user of the server may read and write.
        """
        path = local_path(uri)
        if path is None:
            return self._elsewhere(uri, everywhere=everywhere)
        if not path.is_absolute() or "\0" in str(path):
            raise _outside(uri)
        # What its name alone puts outside is not looked at: a dead mount would hold up the thread.
        if not (everywhere or self._names(path, own)):
            raise _outside(uri)
        place = _real(path)
        if not (everywhere or place.is_relative_to(own.path) or self._hold(place)):
            raise _outside(uri)
        if _is_special(place):
            raise PlaceForbidden(f"{uri} is no regular file")
        return str(place)

    def target(self, uri: str, own: JobDirectory, *, everywhere: bool = False) -> str:
        """The same of an output, which never takes the place of what predictq itself runs on."""
        place = Path(self.source(uri, own, everywhere=everywhere))
        if place.is_relative_to(own.path):
            return str(place)
        if any(place.is_relative_to(kept) for kept in (self._home, *_program())):
            raise PlaceForbidden(f"{uri} lies among predictq's own files: name another place")
        return str(place)

    def _names(self, path: Path, own: JobDirectory) -> bool:
        """Whether the name lies below a root or in the job's own folder, whatever links say."""
        plain = Path(os.path.normpath(path))
        return any(plain.is_relative_to(root) for root in (*self._named, *self._local, own.path))

    def _hold(self, place: Path) -> bool:
        """Whether a root does; what is hidden, or lies in our home, must be named as a root."""
        roots = [root for root in self._local if place.is_relative_to(root)]
        if place.is_relative_to(self._home):
            roots = [root for root in roots if self._home in root.parents]
        return any(not _is_hidden(place.relative_to(root)) for root in roots)

    def _elsewhere(self, uri: str, *, everywhere: bool) -> str:
        root = next((root for root in self._remote if uri.startswith(root)), None)
        if everywhere or (root is not None and not _climbs(uri.removeprefix(root))):
            return uri
        raise _outside(uri)


def _outside(uri: str) -> PlaceForbidden:
    return PlaceForbidden(f"{uri} lies outside the places that jobs may use: {_ADVICE}")


def _climbs(below: str) -> bool:
    """Whether a part of a URI may lead out of its root, by whatever unquotes it on the way."""
    while (plain := unquote(below)) != below:
        below = plain
    # `::` chains file systems, the next of which may be another.
    return "::" in below or ".." in re.split(r"[/\\]", below)


@lru_cache
def _program() -> tuple[Path, ...]:
    """Where the code lies that predictq runs on, and is started from."""
    source = str(Path(__file__).parents[3])
    installed = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib", "scripts")]
    places = [source, sys.prefix, site.getusersitepackages(), *installed]
    return tuple({_real(Path(place)) for place in places})


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _is_hidden(below: Path) -> bool:
    return any(part.startswith(".") for part in below.parts)


def _is_special(path: Path) -> bool:
    """Whether it is a pipe, a device or a socket: to open such a thing may take for ever."""
    # Those of `os.path` take what cannot be looked at for what is not there.
    return os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path))
