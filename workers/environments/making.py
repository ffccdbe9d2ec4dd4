"""Makes the environment of a lock, once: it is whole, or absent."""

import hashlib
import importlib
import os
import platform
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec

from registry.storage.files import locked, rename, write_file
from workers.environments.environment import (
    LOCK,
    MARK_FILE,
    MadeEnvironment,
    Mark,
    directory_of,
    found_at,
)
from workers.environments.lease import leased
from workers.environments.lock import check_origin
from workers.environments.uv import run_uv

_OURS = ("celeryconfig", "cli", "predictq", "registry", "stack", "tasks", "telemetry", "workers")
"""Our own packages; an environment has links to those of the shared one."""


def provided(home: Path, lock: bytes) -> MadeEnvironment:
    """The environment of a lock below a home, made if it is absent.

    Of several processes that ask at once, one makes it. What a process left behind that was killed
    meanwhile is removed. Raises `ModelUnloadable` if a package cannot be installed.
    """
    directory = directory_of(home, lock)
    with leased(directory), locked(directory.with_name(f"{directory.name}.lock")):
        made = found_at(directory) or _made(directory, lock)
        _link_ours(made)
    return made


def _made(directory: Path, lock: bytes) -> MadeEnvironment:
    """Install beside the directory, and rename: nothing in it knows its own path."""
    check_origin(lock)
    for left in directory.parent.glob(f"{directory.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{directory.name}-", dir=directory.parent))
    try:
        _install(staging, lock)
        _mark(staging, lock)
        rename(staging, directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    made = found_at(directory)
    assert made is not None, directory  # noqa: S101 - it was made just now
    return made


def _install(staging: Path, lock: bytes) -> None:
    made, wanted = staging / "bin" / "python", staging / LOCK
    python = ["--python", sys.executable]
    run_uv(["venv", *python, "--relocatable", "--allow-existing", str(staging)], "making a venv")
    wanted.write_bytes(lock)
    exactly = ["--require-hashes", "--no-deps", "-r", str(wanted)]
    run_uv(["pip", "install", "--python", str(made), *exactly], "installing its packages")


def _mark(staging: Path, lock: bytes) -> None:
    sizes = [path.stat().st_size for path in _packages(staging).rglob("*") if path.is_file()]
    mark = Mark(hashlib.sha256(lock).hexdigest(), platform.python_version(), sum(sizes))
    os.sync()  # the mark must not outlive a power loss without the packages, which uv does not sync
    write_file(staging / MARK_FILE, msgspec.json.encode(mark))


def _packages(directory: Path) -> Path:
    number = ".".join(map(str, sys.version_info[:2]))
    return directory / "lib" / f"python{number}" / "site-packages"


def _link_ours(made: MadeEnvironment) -> None:
    """Link our packages anew where they have moved, for instance with a new release."""
    for name in _OURS:
        with suppress(ModuleNotFoundError):  # images of workers have no client
            origin = Path(importlib.import_module(name).__file__ or "")
            target = origin.parent if origin.name == "__init__.py" else origin
            _link(_packages(made.directory) / target.name, target)


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and os.readlink(link) == str(target):
        return
    fresh = link.with_name(f".{link.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
