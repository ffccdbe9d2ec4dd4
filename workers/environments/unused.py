"""Removes the environments that no version needs any more."""

import shutil
from pathlib import Path

from registry.store import Registry
from workers.environments.environment import environments_of, note_failure

_DIGITS = 64
"""Digits of a SHA-256; other names are half-made environments and locks."""


def remove_unused(home: Path) -> list[Path]:
    """Remove environments that no manifest names; returns their directories.

    That of a version whose manifest cannot be read goes as well; it can be made again.
    """
    registry = Registry(home)
    manifests = [m for name in registry.models() for m in registry.versions(name)]
    used = {m.environment.lock for m in manifests if m.environment}
    there = environments_of(home).glob("?" * _DIGITS)
    unused = [path for path in there if path.is_dir() and path.name not in used]
    for path in unused:
        shutil.rmtree(path, ignore_errors=True)
        note_failure(home, path.name, "")
    return unused
