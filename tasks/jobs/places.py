"""Where files of jobs may lie, and where those lie that are the job's own."""

import os
import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from telemetry.errors import Invalid, PlaceForbidden

_BETWEEN = re.compile(rf"{re.escape(os.pathsep)}(?!//)")


class JobDirectory:
    """One job's own directory, ``<home>/jobs/<id>``, which API and workers share."""

    def __init__(self, home: Path, job_id: str) -> None:
        self.path = home / "jobs" / job_id

    @property
    def input(self) -> Path:
        """An uploaded input; followed by its suffixes, such as ``.csv.gz``."""
        return self.path / "input"

    @property
    def output(self) -> Path:
        """The output, where the caller named no place for it."""
        return self.path / "output"

    @property
    def errors(self) -> Path:
        """Every row that failed, in order, once the job has completed."""
        return self.path / "errors.ndjson"

    def plan(self, name: str) -> Path:
        """The chunks; each validation writes them under a name of its own."""
        return self.path / name

    @property
    def parts(self) -> Path:
        """What came of each chunk, until it is put together."""
        return self.path / "parts"

    def unpacked(self, fingerprint: str) -> Path:
        """The input, where it came compressed and can be cut only without that.

        One who was frozen may have found another input there than his successor reads.
        """
        return self.path / f"unpacked-{sha256(fingerprint.encode()).hexdigest()[:16]}"

    def journal(self, step: str) -> Path:
        """What is known of the deaths that a chunk has caused."""
        return self.path / f"{step}.journal"

    def part(self, name: str) -> Path:
        """A part of the output."""
        return self.parts / name

    def part_errors(self, name: str) -> Path:
        """The rows of a part that failed."""
        return self.parts / f"{name}.errors"


class Roots:
    """The places where callers may let jobs read and write."""

    def __init__(self, setting: str, home: Path) -> None:
        """``setting``: paths and URIs, separated as in PATH; empty means the user's home."""
        given = [root for root in _BETWEEN.split(setting) if root] or [str(Path.home())]
        self._remote = [root.rstrip("/") + "/" for root in given if "://" in root]
        self._local = [_real(Path(root).expanduser()) for root in given if "://" not in root]
        self._home = _real(home)

    def checked(self, uri: str, own: JobDirectory) -> str:
        """The place as it is to be kept, links followed; raises `PlaceForbidden`.

        ``own`` is the directory of the job that asks: of what lies in our home it has that alone.
        """
        path = local_path(uri)
        if path is None:
            return self._checked_remote(uri)
        place = _real(path) if path.is_absolute() and "\0" not in str(path) else None
        if place is None or not (place.is_relative_to(_real(own.path)) or self._hold(place)):
            raise PlaceForbidden(f"{uri} lies outside the places that jobs may use")
        if _is_special(place):
            raise PlaceForbidden(f"{uri} is no regular file")
        return str(place)

    def _hold(self, place: Path) -> bool:
        """Whether a root does; what is hidden, or lies in our home, must be named as a root."""
        roots = [root for root in self._local if place.is_relative_to(root)]
        if place.is_relative_to(self._home):
            roots = [root for root in roots if self._home in root.parents]
        return any(not _is_hidden(place.relative_to(root)) for root in roots)

    def _checked_remote(self, uri: str) -> str:
        if ".." in uri.split("/") or not any(uri.startswith(root) for root in self._remote):
            raise PlaceForbidden(f"{uri} lies outside the places that jobs may use")
        return uri


def refuse_same(source: str, target: str) -> None:
    """Raise `Invalid` where two places that were checked are one file, by whatever names."""
    with suppress(OSError):  # one of them is not there, or not on this machine
        if source == target or os.path.samefile(source, target):
            raise Invalid("the output would take the place of the input: name another")


def local_path(uri: str) -> Path | None:
    """The path that a URI means, where it means one on this machine."""
    if uri.startswith("file://"):
        return Path(unquote(uri.removeprefix("file://")))
    return None if "://" in uri else Path(uri)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _is_hidden(below: Path) -> bool:
    return any(part.startswith(".") for part in below.parts)


def _is_special(path: Path) -> bool:
    """Whether it is a pipe, a device or a socket: to open such a thing may take for ever."""
    # Those of `os.path` take what cannot be looked at for what is not there.
    return os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path))
