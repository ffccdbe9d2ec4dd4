"""Removes the environments that no version needs any more."""

import shutil
from pathlib import Path

from registry.store import Registry
from workers.environments.environment import environments_of, note_failure
from workers.environments.lease import free_of_leases

_DIGITS = 64
"""Digits of a SHA-256; other names are half-made environments and locks."""


def remove_unused(home: Path) -> list[Path]:
    """Remove environments that no manifest names and that have no lease; returns their directories.

    That of a version whose manifest cannot be read goes as well; it can be made again.
    """
    there = [path for path in environments_of(home).glob("?" * _DIGITS) if path.is_dir()]
    return [path for path in there if _removed(path, Registry(home))]


def _removed(path: Path, registry: Registry) -> bool:
    """Remove an environment unless it is needed."""
    with free_of_leases(path) as is_free:
        # Asked here: before, a lease may have ended because its version was registered.
        if not is_free or path.name in _needed(registry):
            return False
        # Whole or absent: a removal that is killed leaves what the next making deletes.
        leaving = path.rename(path.with_name(f"{path.name}-removed"))
    shutil.rmtree(leaving, ignore_errors=True)
    note_failure(registry.home, path.name, "")
    return True


def _needed(registry: Registry) -> set[str]:
    manifests = [m for name in registry.models() for m in registry.versions(name)]
    return {m.environment.lock for m in manifests if m.environment}
