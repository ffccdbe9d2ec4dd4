"""Durable, atomic files: a reader, or a machine that comes back, sees the old or the new whole."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPORARY = ".tmp"
SYNC_BYTES = 2**24
"""Bytes that are synced at a time: for so long, others wait who sync on the same disk, as Redis."""


def write(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``; call it under `locked`, one writer at a time."""
    make_directory(path.parent)
    temporary = path.with_name(path.name + TEMPORARY)
    with temporary.open("wb") as file:
        for start in range(0, max(len(content), 1), SYNC_BYTES):
            file.write(memoryview(content)[start : start + SYNC_BYTES])
            file.flush()
            os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def remove(path: Path) -> None:
    """Unlink ``path`` for good; that it is gone already is fine."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def rename(path: Path, target: Path) -> None:
    """Give ``path`` another name in its directory; that it is gone already is fine."""
    with suppress(FileNotFoundError):
        path.replace(target)
    sync_directory(path.parent)


def make_directory(path: Path) -> None:
    """Create ``path`` and its parents so that they survive a power loss."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True, mode=0o700)
    sync_directory(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` alone, among all threads and processes."""
    make_directory(path.parent)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def sync_directory(directory: Path) -> None:
    """Make the names in a directory survive a power loss."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
