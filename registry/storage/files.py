"""Durable, atomic file writes: even after a power loss, readers see the old file or the new one."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

TEMPORARY = ".tmp"
SYNC_BYTES = 2**24
"""Bytes synced at a time; each sync delays others on the same disk, such as Redis."""

TAIL_BYTES = 2**16
"""Bytes of a file that are searched at a time for the end of a line."""


def write_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Replace the content of ``path``. Hold `locked` meanwhile: the temporary name is fixed.

    ``mode``: the mode of the file; by default what the umask leaves.
    """
    make_directory(path.parent)
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        with temporary.open("wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            _write_synced(file, content)
    except OSError:
        # On a full disk, the space of what was written is needed.
        temporary.unlink(missing_ok=True)
        raise
    temporary.replace(path)
    sync_directory(path.parent)


def _write_synced(file: IO[bytes], content: bytes) -> None:
    # At least once: an empty file is synced, too.
    for start in range(0, max(len(content), 1), SYNC_BYTES):
        file.write(memoryview(content)[start : start + SYNC_BYTES])
        file.flush()
        os.fsync(file.fileno())


def append_lines(path: Path, lines: list[bytes]) -> None:
    """Append whole lines durably. Hold `locked` meanwhile.

    The rest of a line that a crash interrupted is cut off first.
    """
    make_directory(path.parent)
    is_new = not path.exists()
    # Unbuffered: closing must not write what could not be written before.
    with path.open("r+b" if not is_new else "wb", buffering=0) as file:
        end = file.seek(_end_of_lines(file))
        file.truncate()
        try:
            content = memoryview(b"".join(lines))
            while content:
                content = content[file.write(content) :]
            os.fsync(file.fileno())
        except OSError:
            # A line that is not on the disk must not be read as a change that was made.
            file.truncate(end)
            raise
    if is_new:
        sync_directory(path.parent)


def _end_of_lines(file: IO[bytes]) -> int:
    """The position after the last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(end - TAIL_BYTES, 0)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def remove_file(path: Path) -> None:
    """Delete ``path`` durably, if it exists."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def rename(path: Path, target: Path) -> None:
    """Rename ``path`` within its directory durably, if it exists."""
    with suppress(FileNotFoundError):
        path.replace(target)
    sync_directory(path.parent)


def make_directory(path: Path) -> None:
    """Create ``path`` and its parents durably."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True, mode=0o700)
    sync_directory(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the lock file ``path``, across threads and processes."""
    make_directory(path.parent)
    # Not deleted at the end: a process that waits on it would lock a file without a name.
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def try_lock(path: Path) -> Iterator[int | None]:
    """Hold an exclusive lock on the lock file ``path`` if no process has it, else yield None.

    Processes that inherit the descriptor hold the lock, too, until all of them have ended. Raises
    `FileNotFoundError` if the directory is gone.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a process holds `try_lock`, or waits for it; nothing is created."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        # Shared, so that two that only look do not see each other.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def sync_directory(directory: Path) -> None:
    """Sync a directory, so that new and deleted names survive a power loss."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
