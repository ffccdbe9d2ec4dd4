"""Checks of the registry: gates, artifacts, signatures and environments of all versions."""

import hashlib
from functools import partial
from pathlib import Path

from cli.doctor.finding import Check, Observation, listed
from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import PredictqError
from workers.environments.environment import environments_of, failure_of, found_at

MAX_HASHED_BYTES = 4 * 2**30
"""Bytes of artifacts that are read; it takes some seconds."""
_ADDING = "docs/models.md#add"
_READINESS = "docs/models.md#readiness"
_ENVIRONMENTS = "docs/models.md#environments"
_LOADING = "docs/models.md#what-is-checked-at-every-load"
_SIGNED = "docs/models.md#signed-manifests"


def model_checks(home: Path) -> list[Check]:
    """Checks of all versions in the registry of a home."""
    registry = Registry(home)
    versions = [each for name in registry.models() for each in registry.versions(name)]
    return [
        Check("models", _ADDING, partial(_manifests, registry, versions)),
        Check("readiness", _READINESS, partial(_readiness, registry, versions)),
        Check("artifacts", _LOADING, partial(_artifacts, registry, versions)),
        Check("trusted models", _SIGNED, partial(_trusted, registry, versions)),
        Check("environments", _ENVIRONMENTS, partial(_environments, home, versions)),
    ]


def _manifests(registry: Registry, versions: list[Manifest]) -> Observation:
    readable = registry.models()
    if broken := [name for name in registry.directory.names() if name not in readable]:
        remedy = "Restore their files below models/ from a backup, or register them again."
        return Observation("fail", f"cannot be read: {listed(broken)}", remedy)
    if not versions:
        return Observation("warn", "none is registered", "Register one with `predictq models add`.")
    return Observation("pass", f"{len(versions)} versions of {len(readable)} models")


def _readiness(registry: Registry, versions: list[Manifest]) -> Observation:
    states = {each.reference: registry.readiness(each).status for each in versions}
    wrong = [f"{version} is {status}" for version, status in states.items() if status != "ready"]
    if wrong:
        remedy = "Try the gate again with `predictq models check NAME:VERSION`, or remove them."
        return Observation("warn", listed(wrong), remedy)
    return Observation("pass", "every version is ready")


def _artifacts(registry: Registry, versions: list[Manifest]) -> Observation:
    damaged, left = list[str](), MAX_HASHED_BYTES
    kept = {each.sha256: each for each in versions}
    for sha256, manifest in sorted(kept.items(), key=lambda pair: pair[1].size):
        left -= manifest.size
        if left >= 0 and not _is_intact(registry.artifact(manifest), sha256):
            damaged.append(manifest.reference)
    if damaged:
        remedy = "Register their files again as the same versions (`models add --version`)."
        return Observation("fail", f"missing or changed: {listed(damaged)}", remedy)
    if left < 0:
        remedy = "Check the largest with `predictq models check`, which loads them."
        return Observation("warn", f"only {MAX_HASHED_BYTES / 2**30:.0f} GiB were read", remedy)
    return Observation("pass", f"{len(kept)} files, each with the hash of its manifest")


def _is_intact(path: Path, sha256: str) -> bool:
    if not path.is_file():  # to open a pipe would wait for ever
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _trusted(registry: Registry, versions: list[Manifest]) -> Observation:
    """Versions that run code when they are loaded, and so must be signed."""
    trusted = [each for each in versions if each.runs_code]
    if unsigned := [each.reference for each in trusted if not _is_signed(registry, each)]:
        remedy = "Sign those that you trust with `predictq models sign NAME:VERSION`."
        return Observation("fail", f"run code, and are not signed: {listed(unsigned)}", remedy)
    names = [each.reference for each in trusted]
    return Observation("pass", f"run code, and are signed: {listed(names) or 'none'}")


def _is_signed(registry: Registry, manifest: Manifest) -> bool:
    try:
        registry.check_signature(manifest)
    except PredictqError:
        return False
    return True


def _environments(home: Path, versions: list[Manifest]) -> Observation:
    wanted = {each.environment.lock: each for each in versions if each.environment}
    missing = [lock for lock in wanted if found_at(environments_of(home) / lock) is None]
    remedy = "Make them with `predictq models check NAME:VERSION`, which needs the package index."
    if failed := [wanted[lock].reference for lock in missing if failure_of(home, lock)]:
        return Observation("fail", f"could not be made: {listed(failed)}", remedy)
    if missing:
        names = listed([wanted[lock].reference for lock in missing])
        return Observation("warn", f"made at the first request, which waits: {names}", remedy)
    return Observation("pass", f"{len(wanted)}, all installed")
