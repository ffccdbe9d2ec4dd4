"""Files that are there complete or not at all, and say plainly why not."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO
from uuid import uuid4

from registry.files import TEMPORARY
from tasks.jobs.files.descriptors import open_directory
from tasks.jobs.files.disk_reserve import sparing
from telemetry.errors import OutputUnwritable

Taking = Callable[[Path, int], AbstractContextManager[IO[bytes]]]
"""Opens a file that takes the name of a path at the end; so many bytes of its disk stay free."""
Naming = Callable[[str, str, int], object]
"""Gives a file the second name; both are names in the directory of this descriptor."""


def replacing(path: Path, spare: int) -> AbstractContextManager[IO[bytes]]:
    """Write a file beside ``path`` that takes its name at the end, safe against a power loss.

    It has the mode of a new file, whatever it replaces, and leaves ``spare`` bytes of its disk
    free. Raises `OutputUnwritable`; whatever is raised, the file is gone and ``path`` as it was.
    """
    return naming(path, replace, spare)


def adding(path: Path, spare: int) -> AbstractContextManager[IO[bytes]]:
    """The same, but what has the name by then keeps it."""
    return naming(path, _link, spare)


def beside(path: Path) -> Path:
    """A file in the same directory that may take the name of ``path``, which may be a long one."""
    return path.with_name(f"{_prefix(path)}{uuid4().hex}{TEMPORARY}")


@contextmanager
def naming(path: Path, name: Naming, spare: int) -> Iterator[IO[bytes]]:
    """The same, but what comes of it in the end is for ``name`` to say."""
    temporary = beside(path).name
    with writable(path), _directory(path.parent) as directory:
        try:
            with sparing(_created(temporary, directory), "wb", spare) as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # whoever clears away leftovers sees it is in use
                yield file
                file.flush()
                os.fsync(file.fileno())
                name(temporary, path.name, directory)
            os.fsync(directory)
        finally:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=directory)


def replace(temporary: str, name: str, directory: int) -> None:
    """The file takes the place of what has the name."""
    os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)


def link(temporary: str, name: str, directory: int) -> None:
    """The file has both names; raises `FileExistsError`."""
    os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)


def _link(temporary: str, name: str, directory: int) -> None:
    with suppress(FileExistsError):
        link(temporary, name, directory)


@contextmanager
def _directory(path: Path) -> Iterator[int]:
    """A descriptor: files are named in this directory, whatever takes the place of its path."""
    descriptor = open_directory(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _created(name: str, directory: int) -> int:
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=directory)


def clear_leftovers(path: Path) -> None:
    """Remove what those left who died while they were replacing ``path``."""
    for leftover in path.parent.glob(f"{_prefix(path)}*{TEMPORARY}"):
        with suppress(OSError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def check_writable(path: Path, spare: int) -> None:
    """Raise `OutputUnwritable` unless a file can be written there now; ``path`` stays as it is."""
    if os.path.isdir(path):
        raise OutputUnwritable(f"{path} is a directory")
    with naming(path, lambda *_: None, spare) as probe:
        probe.write(b"\n")


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Tell why ``path`` cannot be written: as `OutputUnwritable`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputUnwritable(f"{path} cannot be written: {reason}") from error


def _prefix(path: Path) -> str:
    return f".{sha256(os.fsencode(path.name)).hexdigest()[:16]}."
