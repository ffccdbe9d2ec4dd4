"""Where files of jobs may lie, and where those lie that are the job's own."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from telemetry.errors import PlaceForbidden

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

    @property
    def unpacked(self) -> Path:
        """The input, where it came compressed and can be cut only without that."""
        return self.path / "unpacked"

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
        local = [Path(root).expanduser() for root in given if "://" not in root]
        self._local = [os.path.realpath(root) for root in (*local, home / "jobs")]

    def checked(self, uri: str) -> str:
        """The place as it is to be kept, links followed; raises `PlaceForbidden`."""
        if "://" in uri and not uri.startswith("file://"):
            return self._checked_remote(uri)
        path = os.path.realpath(uri.removeprefix("file://"))
        if not Path(path).is_absolute() or not _within(path, self._local):
            raise PlaceForbidden(f"{uri} lies outside the places that jobs may use")
        return path

    def _checked_remote(self, uri: str) -> str:
        if ".." in uri.split("/") or not any(uri.startswith(root) for root in self._remote):
            raise PlaceForbidden(f"{uri} lies outside the places that jobs may use")
        return uri


def _within(path: str, roots: Sequence[str]) -> bool:
    return any(os.path.commonpath([path, root]) == root for root in roots)
