"""The registry's files on disk: reads and writes manifests, aliases and artifacts."""

import os
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from registry.baseline import Baseline
from registry.deployments.deployment import Deployment
from registry.history import Cause, Change, shortened, undeployed, unrecorded
from registry.manifest import Manifest
from registry.readiness import READY, GoldenRows, Readiness
from registry.splits import Meaning
from registry.storage import files
from registry.storage.model_settings import DEFAULT_SETTINGS, ModelSettings
from registry.storage.paths import Paths
from telemetry.errors import PredictqError

Content = TypeVar("Content")
Stamp = tuple[int, int]
ABSENT: Stamp = (0, 0)
"""Stamp of a registry that does not exist or was never written to."""


class Model(msgspec.Struct, frozen=True):
    """The data on disk of one model; a model without versions does not exist."""

    versions: dict[int, Manifest]
    """Manifests by version number, ascending."""
    aliases: dict[str, Meaning]
    states: dict[int, Readiness] = {}
    """States by version number; a version without an entry is ready."""
    deployments: dict[str, Deployment] = {}
    """By alias."""
    settings: ModelSettings = DEFAULT_SETTINGS

    def readiness(self, number: int) -> Readiness:
        """The state of a version."""
        return self.states.get(number, READY)

    def is_ready(self, number: int) -> bool:
        """Whether there is such a version, and it is ready."""
        return number in self.versions and self.readiness(number).status == "ready"

    @property
    def latest(self) -> int | None:
        """The highest number of a version that is ready; None if none is."""
        return max(filter(self.is_ready, self.versions), default=None)


class Directory:
    """Files under ``root``. Every write ends by renewing the stamp of the generation file."""

    def __init__(self, root: Path) -> None:
        self._root, self._paths = root, Paths(root)
        self._generation = root / ".generation"

    def stamp(self) -> Stamp:
        """The current stamp. Data read after it was taken is valid until the stamp changes."""
        try:
            stat = os.stat(self._generation)  # for each resolved reference; Path.stat is slower
        except FileNotFoundError:
            return ABSENT
        return (stat.st_mtime_ns, stat.st_ino)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock, and renew the stamp at the end, even after an error."""
        with files.locked(self._root / ".lock"):
            try:
                yield
            finally:
                # Also after an error: some files may be written, and readers must not keep the old.
                self._renew_stamp()

    def names(self) -> list[str]:
        """Names of the models that have a version, sorted."""
        # By manifests, not directories: that of a model stays when its last version is removed.
        return sorted({path.parent.parent.name for path in self._root.glob("*/versions/*.json")})

    def read(self, name: str) -> Model:
        """Read a model; versions removed meanwhile are left out.

        Raises `PredictqError`, which names the file, if a file is broken.
        """
        # Aliases first: an alias is always written after the version that it names.
        aliases = self._read_aliases(name)
        paths = (self._root / name / "versions").glob("*.json")
        manifests = [manifest for path in paths if (manifest := self._read(path, Manifest))]
        manifests.sort(key=lambda manifest: manifest.version)
        states = {
            manifest.version: state
            for manifest in manifests
            if (state := self._read(self._paths.state(name, manifest.version), Readiness))
        }
        versions = {manifest.version: manifest for manifest in manifests}
        settings = self._read(self._paths.settings(name), ModelSettings) or DEFAULT_SETTINGS
        return Model(versions, aliases, states, self._read_deployments(name), settings)

    def deployments(self) -> list[Deployment]:
        """The deployments of all models, sorted; raises `PredictqError` as `read` does."""
        names = sorted(path.parent.name for path in self._root.glob("*/deployments.json"))
        found = map(self._read_deployments, names)
        return [deployment for each in found for _, deployment in sorted(each.items())]

    def golden_rows(self, name: str, number: int) -> GoldenRows | None:
        """The golden rows of a version; None if it was registered without a sample."""
        return self._read(self._paths.golden(name, number), GoldenRows)

    def baseline(self, name: str, number: int) -> Baseline | None:
        """The baseline of a version; None if it has none."""
        return self._read(self._paths.baseline(name, number), Baseline)

    def lock(self, name: str, number: int) -> bytes | None:
        """The lock of a version's environment; None if it runs in the shared one."""
        try:
            return self._paths.lock(name, number).read_bytes()
        except FileNotFoundError:
            return None

    def highest(self, name: str) -> int:
        """Highest version number ever given out; 0 before the first."""
        try:
            return int(self._paths.highest(name).read_bytes())
        except FileNotFoundError:
            return 0

    def removed(self, name: str, number: int) -> Manifest | None:
        """The manifest of a removed version; None if no version of this number was removed."""
        return self._read(self._paths.removed(name, number), Manifest)

    def artifact(self, sha256: str) -> Path:
        """The path of the artifact with this hash."""
        return self._paths.artifact(sha256)

    def write_artifact(self, sha256: str, content: bytes) -> None:
        """Store an artifact; this also repairs one that was damaged on disk."""
        files.write_file(self.artifact(sha256), content)

    def write_manifest(self, manifest: Manifest) -> None:
        """Store a version whose artifact is stored already."""
        # The number first: after a crash in between it is unused, but never given out twice.
        self.write_highest(manifest.name, manifest.version)
        content = msgspec.json.format(msgspec.json.encode(manifest))
        files.write_file(self._paths.version(manifest.name, manifest.version), content)

    def write_highest(self, name: str, number: int) -> None:
        """Note that a version number was given out."""
        highest = max(number, self.highest(name))
        files.write_file(self._paths.highest(name), b"%d" % highest)

    def decision(self, name: str, number: int, kind: type[Content]) -> Content | None:
        """The decision on a version's registration; None if it was not uploaded, or is pending."""
        return self._read(self._paths.decision(name, number), kind)

    def write_decision(self, name: str, number: int, decision: msgspec.Struct) -> None:
        """Store the decision on a version's registration."""
        files.write_file(self._paths.decision(name, number), msgspec.json.encode(decision))

    def signature(self, name: str, number: int) -> bytes | None:
        """The signature of a version's manifest; None if there is none."""
        try:
            return self._paths.signature(name, number).read_bytes()
        except FileNotFoundError:
            return None

    def write_signature(self, name: str, number: int, signature: bytes) -> None:
        """Store the signature of a version's manifest."""
        files.write_file(self._paths.signature(name, number), signature)

    def write_state(self, name: str, number: int, state: Readiness) -> None:
        """Replace the state of a version."""
        files.write_file(self._paths.state(name, number), msgspec.json.encode(state))

    def write_golden_rows(self, name: str, number: int, golden: GoldenRows | None) -> None:
        """Replace the golden rows of a version; None deletes them."""
        if golden is None:
            files.remove_file(self._paths.golden(name, number))
        else:
            files.write_file(self._paths.golden(name, number), msgspec.json.encode(golden))

    def write_baseline(self, name: str, number: int, baseline: Baseline) -> None:
        """Replace the baseline of a version."""
        files.write_file(self._paths.baseline(name, number), msgspec.json.encode(baseline))

    def write_lock(self, name: str, number: int, content: bytes) -> None:
        """Store the lock of a version's environment."""
        files.write_file(self._paths.lock(name, number), content)

    def write_aliases(self, name: str, aliases: dict[str, Meaning]) -> None:
        """Replace all aliases of a model."""
        files.write_file(
            self._paths.aliases(name), msgspec.json.encode(dict(sorted(aliases.items())))
        )

    def write_deployments(self, name: str, deployments: dict[str, Deployment]) -> None:
        """Replace all deployments of a model."""
        files.write_file(self._paths.deployments(name), msgspec.json.encode(deployments))

    def undeploy(self, name: str, model: Model, gone: Collection[Deployment], cause: Cause) -> None:
        """Delete deployments of a model, if there are any to delete."""
        if gone:
            kept = {e: each for e, each in model.deployments.items() if each not in gone}
            self.write_deployments(name, kept)
            self.record(name, model.aliases, [undeployed(each, cause) for each in gone])

    def write_settings(self, name: str, settings: ModelSettings) -> None:
        """Replace the settings of a model."""
        files.write_file(self._paths.settings(name), msgspec.json.encode(settings))

    def rollouts(self, name: str, kind: type[Content]) -> Content | None:
        """The rollouts of a model; None if there never was one."""
        return self._read(self._paths.rollouts(name), kind)

    def write_rollouts(self, name: str, rollouts: Sequence[msgspec.Struct]) -> None:
        """Replace all rollouts of a model."""
        files.write_file(self._paths.rollouts(name), msgspec.json.encode(rollouts))

    def history(self, name: str) -> list[Change]:
        """The recorded changes of a model, oldest first."""
        try:
            lines = self._paths.history(name).read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        # Text after the last line end is the rest of a write that a crash interrupted.
        return [msgspec.json.decode(line, type=Change) for line in lines[:-1]]

    def record(self, name: str, aliases: dict[str, Meaning], changes: list[Change]) -> None:
        """Append changes to a model's history, after they were made.

        ``aliases``: the aliases before them. Moves that led there without an entry are added first.
        """
        known = self.history(name)
        added = [*unrecorded(known, aliases), *changes]
        if added:
            files.append_lines(self._paths.history(name), _lines(added))
        kept = shortened([*known, *added])
        if len(kept) <= len(known):
            files.write_file(self._paths.history(name), b"".join(_lines(kept)))

    def remove_versions(self, name: str, numbers: tuple[int, ...]) -> None:
        """Remove versions, and all artifacts that no version uses any more."""
        for number in numbers:
            # The manifest first: without its state a version would be ready.
            # Renamed, not deleted: `add` must not give the number to another artifact later.
            files.rename(self._paths.version(name, number), self._paths.removed(name, number))
            files.remove_file(self._paths.state(name, number))
            files.remove_file(self._paths.golden(name, number))
            files.remove_file(self._paths.baseline(name, number))
            files.remove_file(self._paths.lock(name, number))
            files.remove_file(self._paths.decision(name, number))
            files.remove_file(self._paths.signature(name, number))
        try:
            used = {m.sha256 for name in self.names() for m in self.read(name).versions.values()}
        except PredictqError:  # a broken manifest may use any artifact, so keep them all
            return
        # The star finds temporary files, too. Their writers have died: we hold the write lock.
        for path in self.artifact("").glob("?" * 64 + "*"):
            if path.name not in used:
                files.remove_file(path)

    def _read_aliases(self, name: str) -> dict[str, Meaning]:
        return self._read(self._paths.aliases(name), dict[str, Meaning]) or {}

    def _read_deployments(self, name: str) -> dict[str, Deployment]:
        return self._read(self._paths.deployments(name), dict[str, Deployment]) or {}

    def _read(self, path: Path, kind: type[Content]) -> Content | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            relative = path.relative_to(self._root)
            raise PredictqError(f"the registry's file {relative} is broken: {error}") from error

    def _renew_stamp(self) -> None:
        # Unique even if the clock is coarse or jumps back.
        now = max(time.time_ns(), self.stamp()[0] + 1)
        files.write_file(self._generation, b"")
        os.utime(self._generation, ns=(now, now))


def _lines(changes: list[Change]) -> list[bytes]:
    return [msgspec.json.encode(change) + b"\n" for change in changes]
