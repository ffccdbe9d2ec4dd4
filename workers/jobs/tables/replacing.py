"""Writes files that are complete or do not exist, and reports why if they cannot be written."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO
from uuid import uuid4

from registry.storage.files import TEMPORARY
from tasks.jobs.files.descriptors import open_directory
from tasks.jobs.files.disk_reserve import open_with_reserve
from telemetry.errors import OutputUnwritable

OpenOutput = Callable[[Path, int], AbstractContextManager[IO[bytes]]]
"""Opens a temporary file that gets a path's name at the end; keeps the disk reserve, in bytes."""
MoveIntoPlace = Callable[[str, str, int], object]
"""Moves a temporary file to its final name; both are names in the directory of the descriptor."""


def open_to_replace(path: Path, spare: int) -> AbstractContextManager[IO[bytes]]:
    """Write a file beside ``path`` that replaces it at the end, safe against a power loss.

    The file has the mode of a new file, and leaves ``spare`` bytes of its disk free. Raises
    `OutputUnwritable`; after any error, ``path`` is unchanged and the new file deleted.
    """
    return open_to_move(path, replace, spare)


def open_to_add(path: Path, spare: int) -> AbstractContextManager[IO[bytes]]:
    """As `open_to_replace`, but an existing ``path`` is kept."""
    return open_to_move(path, _link, spare)


def temporary_path(path: Path) -> Path:
    """A temporary path in the same directory, short even if the name of ``path`` is long."""
    return path.with_name(f"{_prefix(path)}{uuid4().hex}{TEMPORARY}")


@contextmanager
def open_to_move(path: Path, name: MoveIntoPlace, spare: int) -> Iterator[IO[bytes]]:
    """As `open_to_replace`, but ``name`` moves the file to its final name."""
    temporary = temporary_path(path).name
    with writable(path), _directory(path.parent) as directory:
        try:
            with open_with_reserve(_created(temporary, directory), "wb", spare) as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # shows `clear_leftovers` that it is in use
                yield file
                file.flush()
                # The content before the name: a power loss must not leave an empty file under it.
                os.fsync(file.fileno())
                name(temporary, path.name, directory)
            # The new name survives a power loss only with its directory.
            os.fsync(directory)
        finally:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=directory)


def replace(temporary: str, name: str, directory: int) -> None:
    """Replace the file ``name``."""
    os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)


def link(temporary: str, name: str, directory: int) -> None:
    """Add ``name`` as a hard link; raises `FileExistsError`."""
    os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)


def _link(temporary: str, name: str, directory: int) -> None:
    with suppress(FileExistsError):
        link(temporary, name, directory)


@contextmanager
def _directory(path: Path) -> Iterator[int]:
    """A descriptor of the directory, so that moving its path changes nothing."""
    descriptor = open_directory(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _created(name: str, directory: int) -> int:
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=directory)


def clear_leftovers(path: Path) -> None:
    """Delete temporary files of processes that died while they were replacing ``path``."""
    for leftover in path.parent.glob(f"{_prefix(path)}*{TEMPORARY}"):
        with suppress(OSError), leftover.open("rb") as file:
            # Fails, and so keeps the file, while its writer lives: a lock ends with its process.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def check_writable(path: Path, spare: int) -> None:
    """Raise `OutputUnwritable` unless ``path`` can be written; ``path`` itself is unchanged."""
    if os.path.isdir(path):
        raise OutputUnwritable(f"{path} is a directory")
    with open_to_move(path, lambda *_: None, spare) as probe:
        probe.write(b"\n")


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Raise `OutputUnwritable` with the reason if ``path`` cannot be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputUnwritable(f"{path} cannot be written: {reason}") from error


def _prefix(path: Path) -> str:
    return f".{sha256(os.fsencode(path.name)).hexdigest()[:16]}."
