"""The registry's layout on disk: where manifests, aliases and artifacts lie, read and written."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from registry import files
from registry.manifest import Manifest
from telemetry.errors import PredictqError

Content = TypeVar("Content")
Stamp = tuple[int, int]
ABSENT: Stamp = (0, 0)
"""Of a registry that is not there, or to which nobody has written yet."""


class Model(msgspec.Struct, frozen=True):
    """What is on disk about one model; without versions there is no such model."""

    versions: dict[int, Manifest]
    """Ascending."""
    aliases: dict[str, int]


class Directory:
    """Files under ``root``; every write ends by giving the generation file a new stamp."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._generation = root / ".generation"

    def stamp(self) -> Stamp:
        """What is read after this stamp was taken holds for as long as the stamp stays."""
        try:
            stat = os.stat(self._generation)  # on the hot path; Path.stat costs more
        except FileNotFoundError:
            return ABSENT
        return (stat.st_mtime_ns, stat.st_ino)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer; readers notice at the end, even when it fails halfway."""
        with files.locked(self._root / ".lock"):
            try:
                yield
            finally:
                self._renew_stamp()

    def names(self) -> list[str]:
        """Names of the models that have a version, sorted."""
        return sorted({path.parent.parent.name for path in self._root.glob("*/versions/*.json")})

    def read(self, name: str) -> Model:
        """Read a model; a version removed meanwhile is left out.

        Raises `PredictqError`, which names the file, where one is broken.
        """
        # Aliases first: the version that an alias names was written before the alias.
        aliases = self._read_aliases(name)
        paths = (self._root / name / "versions").glob("*.json")
        manifests = [manifest for path in paths if (manifest := self._read(path, Manifest))]
        manifests.sort(key=lambda manifest: manifest.version)
        return Model({manifest.version: manifest for manifest in manifests}, aliases)

    def highest(self, name: str) -> int:
        """Highest version number ever given out, 0 before the first."""
        try:
            return int(self._highest(name).read_bytes())
        except FileNotFoundError:
            return 0

    def removed(self, name: str, number: int) -> Manifest | None:
        """What a version was that had this number and was removed."""
        return self._read(self._removed(name, number), Manifest)

    def artifact(self, sha256: str) -> Path:
        """Where the artifact with this hash lies."""
        return self._root / "artifacts" / sha256

    def write_artifact(self, sha256: str, content: bytes) -> None:
        """Store an artifact; one that went bad on disk is mended by this."""
        files.write(self.artifact(sha256), content)

    def write_manifest(self, manifest: Manifest) -> None:
        """Store a version whose artifact is there."""
        highest = max(manifest.version, self.highest(manifest.name))
        files.write(self._highest(manifest.name), b"%d" % highest)
        content = msgspec.json.format(msgspec.json.encode(manifest))
        files.write(self._version(manifest.name, manifest.version), content)

    def write_aliases(self, name: str, aliases: dict[str, int]) -> None:
        """Replace all aliases of a model."""
        files.write(self._aliases(name), msgspec.json.encode(aliases, order="sorted"))

    def remove_versions(self, name: str, numbers: tuple[int, ...]) -> None:
        """Remove versions, and every artifact that no version uses any more."""
        for number in numbers:
            files.rename(self._version(name, number), self._removed(name, number))
        try:
            used = {m.sha256 for name in self.names() for m in self.read(name).versions.values()}
        except PredictqError:  # nobody knows what a broken manifest uses, so all of it stays
            return
        for path in self.artifact("").glob("?" * 64 + "*"):
            if path.name not in used:
                files.remove(path)

    def _read_aliases(self, name: str) -> dict[str, int]:
        return self._read(self._aliases(name), dict[str, int]) or {}

    def _read(self, path: Path, kind: type[Content]) -> Content | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            place = path.relative_to(self._root)
            raise PredictqError(f"the registry's file {place} is broken: {error}") from error

    def _renew_stamp(self) -> None:
        # Never the same twice, however coarse the clock is or far it jumps back.
        now = max(time.time_ns(), self.stamp()[0] + 1)
        files.write(self._generation, b"")
        os.utime(self._generation, ns=(now, now))

    def _version(self, name: str, number: int) -> Path:
        return self._root / name / "versions" / f"{number}.json"

    def _removed(self, name: str, number: int) -> Path:
        return self._root / name / "versions" / f"{number}.removed"

    def _aliases(self, name: str) -> Path:
        return self._root / name / "aliases.json"

    def _highest(self, name: str) -> Path:
        return self._root / name / "highest"
