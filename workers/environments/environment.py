"""Directories of environments below a home, and the environment that this process runs in."""

import hashlib
import sys
from functools import cache
from pathlib import Path

import msgspec

from registry.manifest import Environment, Manifest
from registry.storage.files import make_directory
from telemetry.errors import ModelUnloadable

MARK_FILE = "environment.json"
"""The file in an environment that says which it is; if it exists, installation finished."""
LOCK = "requirements.lock"
"""The file in an environment that is its lock."""


class Mark(msgspec.Struct, frozen=True):
    """The contents of an environment."""

    lock: str
    """SHA-256 of the lock."""
    python: str
    """Version of Python."""
    size: int
    """Bytes of its packages."""


class MadeEnvironment(msgspec.Struct, frozen=True):
    """An environment that is installed."""

    directory: Path
    mark: Mark

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.directory / "bin" / "python"

    @property
    def lock(self) -> bytes:
        """The content of its lock."""
        return (self.directory / LOCK).read_bytes()

    def described(self, requirements: tuple[str, ...]) -> Environment:
        """The environment's description in the manifest of a version."""
        return Environment(self.mark.lock, requirements, self.mark.python, self.mark.size)


def environments_of(home: Path) -> Path:
    """Where the environments of a home are, each named by the SHA-256 of its lock."""
    return home / "environments"


def directory_of(home: Path, lock: bytes) -> Path:
    """Where the environment of a lock is, or will be."""
    return environments_of(home) / hashlib.sha256(lock).hexdigest()


def found_at(directory: Path) -> MadeEnvironment | None:
    """The environment in a directory; None if there is none, or a part of one."""
    try:
        mark = msgspec.json.decode((directory / MARK_FILE).read_bytes(), type=Mark)
    except (OSError, msgspec.DecodeError):
        return None
    made = MadeEnvironment(directory, mark)
    return made if made.python.exists() else None  # its Python may have been removed since


@cache
def version_environment() -> MadeEnvironment | None:
    """The environment of a version that this process runs in; None in the shared environment."""
    return found_at(Path(sys.prefix))


def runs_in_environment_of(manifest: Manifest) -> bool:
    """Whether this process runs in the environment of a version."""
    own, wanted = version_environment(), manifest.environment
    return (own.mark.lock if own else None) == (wanted.lock if wanted else None)


def check_environment(manifest: Manifest, home: Path) -> None:
    """Raise `ModelUnloadable` unless this process runs in the environment of a version."""
    if runs_in_environment_of(manifest):
        return
    wanted = manifest.environment
    if wanted is None:
        raise ModelUnloadable(f"{manifest.reference} needs the shared environment")
    reason = failure_of(home, wanted.lock) or "this process runs in another one"
    raise ModelUnloadable(f"{manifest.reference} needs its environment: {reason}")


def failure_of(home: Path, lock: str) -> str:
    """Why an environment could not be made the last time; empty if it could."""
    try:
        return _failure(home, lock).read_text()
    except OSError:
        return ""


def note_failure(home: Path, lock: str, reason: str) -> None:
    """Store why an environment could not be made; an empty reason deletes the stored one."""
    if reason:
        make_directory(environments_of(home))
        _failure(home, lock).write_text(reason)
    else:
        _failure(home, lock).unlink(missing_ok=True)


def _failure(home: Path, lock: str) -> Path:
    return environments_of(home) / f"{lock}.failure"
