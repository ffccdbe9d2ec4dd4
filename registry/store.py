"""The registry: immutable versions, movable aliases, and the resolution of references."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from registry.baseline import Baseline
from registry.cache import RegistryCache
from registry.deployments.deployment import Deployment
from registry.history import NO_CAUSE, Cause, Change, alias_changes, unrecorded, version_change
from registry.manifest import Description, Manifest
from registry.names import Reference, checked_name, parse_reference
from registry.readiness import READY, GoldenRows, Readiness
from registry.splits import Meaning, pointing_to
from registry.storage.directory import ABSENT, Directory, Model
from registry.storage.model_settings import ModelSettings
from registry.storage.signing import is_signed, manifest_signature
from registry.versions import (
    Resolved,
    check_addition,
    check_existing,
    latest_version,
    new_manifest,
    next_version,
    resolved_alias,
    resolved_version,
    version_of,
)
from telemetry.errors import (
    ArtifactMismatch,
    ArtifactMissing,
    PredictqError,
    RegistryConflict,
    UntrustedArtifact,
    VersionNotReady,
)

RECHECK_INTERVAL = 0.01
"""Seconds between two checks for changes in workers, which resolve exact versions: these never
change."""


class Registry:
    """Models under ``<home>/models``; any number of processes may read and write concurrently."""

    def __init__(self, home: Path, recheck_seconds: float = 0.0) -> None:
        """``recheck_seconds``: seconds between two checks for changes to resolved references."""
        self.home = home
        self.directory = Directory(home / "models")
        """The files. A writer holds `Directory.writing`."""
        self._cache = RegistryCache(self.directory, recheck_seconds)

    def resolve(self, reference: str) -> Resolved:
        """The version that ``name``, ``name@alias`` or ``name:version`` means now.

        A bare name means the latest version that is ready. An exact version need not be ready, so
        that its gate can call it.

        Raises `Invalid`, `ModelNotFound`, `VersionNotFound`, `AliasNotFound`, or `VersionNotReady`
        if no version of a bare name is ready.
        """
        # Any producer may send any JSON value here. Only what was found is kept, which is bounded.
        found = self._cache.recent().resolved.get(reference) if isinstance(reference, str) else None
        if found is None:
            cached = self._cache.fresh()
            found = cached.resolved[reference] = self._resolve(parse_reference(reference))
        return found

    def named(self, reference: str) -> Manifest:
        """As `resolve`, but a bare name without a version that is ready means its newest one."""
        try:
            return self.resolve(reference).manifest
        except VersionNotReady:
            return self.versions(reference)[-1]

    def knows(self, reference: str) -> bool:
        """Whether `resolve` can answer from its cache, without reading a model's files."""
        return reference in self._cache.recent().resolved

    @property
    def exists(self) -> bool:
        """Whether the registry exists, now and at the last check: its volume may be unmounted."""
        return ABSENT not in (self._cache.stamp, self._cache.fresh().stamp)

    def has_removed(self, reference: str) -> bool:
        """Whether this ``name:version`` existed and was removed."""
        try:
            found = parse_reference(reference)
            number = found.version or 0
            was = self.directory.removed(found.name, number)
            return was is not None and number not in self.directory.read(found.name).versions
        except PredictqError:  # not a reference, or its manifest is broken
            return False

    def forget(self) -> None:
        """Clear the cache, to read everything again even if the stamp is unchanged."""
        self._cache.clear()

    def models(self) -> list[str]:
        """Names of the models that have a version and can be read, sorted."""
        return [name for name in self._cache.names() if self._cache.is_readable(name)]

    def versions(self, name: str) -> list[Manifest]:
        """All versions of a model, ascending; raises `ModelNotFound` if there are none."""
        return list(self._cache.model(name).versions.values())

    def latest(self, name: str) -> int | None:
        """The highest number of a version that is ready; None if none is."""
        return self._cache.model(name).latest

    def readiness(self, manifest: Manifest) -> Readiness:
        """The state of a version."""
        return self._cache.model(manifest.name).readiness(manifest.version)

    def settings(self, name: str) -> ModelSettings:
        """The settings of a model."""
        return self._cache.model(name).settings

    def varying(self, name: str) -> list[int]:
        """The versions of a model whose answers to the same rows vary, ascending."""
        model = self._cache.model(name)
        return [number for number in model.versions if model.readiness(number).varies]

    def golden_rows(self, manifest: Manifest) -> GoldenRows | None:
        """The golden rows of a version; None if it was registered without a sample."""
        return self.directory.golden_rows(manifest.name, manifest.version)

    def baseline(self, manifest: Manifest) -> Baseline | None:
        """The baseline of a version; None if its sample was too small, or missing."""
        return self.directory.baseline(manifest.name, manifest.version)

    def aliases(self, name: str) -> dict[str, Meaning]:
        """Alias → version number, or shares of a split; sorted by alias."""
        return dict(sorted(self._cache.model(name).aliases.items()))

    def deployments(self) -> list[Deployment]:
        """All deployments, sorted by model and environment; raises as `Directory.deployments`."""
        return self._cache.deployments()

    def deployments_of(self, name: str) -> list[Deployment]:
        """The deployments of a model, sorted by environment; raises `ModelNotFound`."""
        return [each for _, each in sorted(self._cache.model(name).deployments.items())]

    def artifact(self, manifest: Manifest) -> Path:
        """The path of a version's artifact."""
        return self.directory.artifact(manifest.sha256)

    def lock(self, manifest: Manifest) -> bytes:
        """The lock of a version's environment.

        Raises `ArtifactMissing`, `ArtifactMismatch`, and `UntrustedArtifact`: installing packages
        runs their code.
        """
        self.check_signature(manifest)
        wanted = manifest.environment
        content = self.directory.lock(manifest.name, manifest.version)
        if content is None or wanted is None:
            raise ArtifactMissing(f"the lock of the environment of {manifest.reference} is missing")
        if hashlib.sha256(content).hexdigest() != wanted.lock:
            raise ArtifactMismatch(
                f"the lock of the environment of {manifest.reference} was changed after its "
                "registration"
            )
        return content

    def add(
        self,
        name: str,
        description: Description,
        artifact: bytes,
        *,
        version: int | None = None,
        alias: str | None = None,
        state: Readiness = READY,
        golden: GoldenRows | None = None,
        baseline: Baseline | None = None,
        lock: bytes | None = None,
        cause: Cause = NO_CAUSE,
        check: Callable[[], None] = lambda: None,
    ) -> Manifest:
        """Store an artifact as a version, by default the next one, and point ``alias`` to it.

        ``state``: the state of a new version. ``lock``: the lock of its environment. ``check`` is
        called first, while nothing else can change; if it raises, nothing is stored. Adding the
        same version again changes only its golden rows and baseline, if given. Raises
        `RegistryConflict` if the version exists with another description, or was removed and had
        another artifact. If the disk fails, nothing of a new version is left.
        """
        check_addition(name, description, artifact, version, alias)
        with self.directory.writing():
            check()
            model = self.directory.read(name)
            number, changes = version or next_version(self.directory, name, model), list[Change]()
            manifest = check_existing(name, model.versions.get(number), description)
            if manifest is None:
                self._check_never_another(name, number, description)
            with self._nothing_half(name, number, is_new=manifest is None):
                # The manifest comes last: once it is there, readers may use all that it names.
                self.directory.write_artifact(description.sha256, artifact)
                if golden is not None:
                    self.directory.write_golden_rows(name, number, golden)
                if baseline is not None:
                    self.directory.write_baseline(name, number, baseline)
                if lock is not None:
                    self.directory.write_lock(name, number, lock)
                if manifest is None:
                    manifest = new_manifest(name, number, description)
                    # Before the manifest: a version without a state is ready.
                    self.directory.write_state(name, number, state)
                    self._sign(manifest)
                    self.directory.write_manifest(manifest)
                    changes.append(version_change("registered", number, cause))
                if alias is not None:
                    aliases = model.aliases | {alias: number}
                    self.directory.write_aliases(name, aliases)
                    changes += alias_changes(model.aliases, aliases, cause)
                self.directory.record(name, model.aliases, changes)
        return manifest

    def sign(self, manifest: Manifest) -> None:
        """Sign a manifest that came from elsewhere, so that workers run code in its artifact."""
        with self.writing(manifest.name):
            self._sign(manifest)

    def check_signature(self, manifest: Manifest) -> None:
        """Raise `UntrustedArtifact` if a version that runs code is not signed by this home."""
        given = self.directory.signature(manifest.name, manifest.version)
        if manifest.runs_code and not is_signed(self.home, manifest, given):
            what = manifest.reference
            raise UntrustedArtifact(
                f"the manifest of {what} is not signed with the key of this home, so the code in "
                f"it is not run; `predictq models sign {what}` signs it if you trust it"
            )

    def set_state(self, manifest: Manifest, state: Readiness, cause: Cause = NO_CAUSE) -> None:
        """Change the state of a version; raises `VersionNotFound` if it was removed."""
        with self.writing(manifest.name) as (directory, model):
            version_of(manifest.name, model, manifest.version)
            directory.write_state(manifest.name, manifest.version, state)
            if state.status != "checking":
                told = replace(cause, why=cause.why or state.reason)
                change = version_change(state.status, manifest.version, told)
                directory.record(manifest.name, model.aliases, [change])

    @contextmanager
    def writing(self, name: str) -> Iterator[tuple[Directory, Model]]:
        """Hold the write lock, and yield the files and a model; raises `ModelNotFound`."""
        with self.directory.writing():
            yield self.directory, self._cache.read(name)

    def history(self, name: str) -> list[Change]:
        """The changes of a model, oldest first, even if all of its versions were removed.

        Raises `ModelNotFound` if there never was such a model.
        """
        found = self.directory.history(checked_name(name))
        return found or unrecorded([], self._cache.model(name).aliases)

    @contextmanager
    def _nothing_half(self, name: str, number: int, *, is_new: bool) -> Iterator[None]:
        """Remove what was stored of a new version if the disk fails; holds the write lock."""
        try:
            yield
        except OSError:
            if is_new and not pointing_to(self.directory.read(name).aliases, [number]):
                self.directory.remove_versions(name, (number,))
            raise

    def _sign(self, manifest: Manifest) -> None:
        signature = manifest_signature(self.home, manifest)
        self.directory.write_signature(manifest.name, manifest.version, signature)

    def _resolve(self, reference: Reference) -> Resolved:
        name, model = reference.name, self._cache.model(reference.name)
        if reference.alias is not None:
            return resolved_alias(name, model, reference.alias)
        manifest = version_of(name, model, reference.version or latest_version(name, model))
        return resolved_version(model, manifest.version, None)

    def _check_never_another(self, name: str, number: int, description: Description) -> None:
        # Queued messages name only the number; they must not be computed by a different model.
        removed = self.directory.removed(name, number)
        if removed is not None and removed.sha256 != description.sha256:
            raise RegistryConflict(
                f"{name}:{number} was another artifact before its removal; choose another number"
            )
