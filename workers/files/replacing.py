"""Files that are there complete or not at all, and say plainly why not."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO
from uuid import uuid4

from registry.files import TEMPORARY, sync_directory
from tasks.jobs.room import sparing
from telemetry.errors import OutputUnwritable


def replacing(path: Path, spare: int) -> AbstractContextManager[IO[bytes]]:
    """Write a file beside ``path`` that takes its name at the end, safe against a power loss.

    It has the mode of what it replaces, and leaves ``spare`` bytes of its disk free. Raises
    `OutputUnwritable`; whatever is raised, the file is gone and ``path`` as it was.
    """
    return _naming(path, os.replace, spare)


def adding(path: Path, spare: int) -> AbstractContextManager[IO[bytes]]:
    """The same, but what has the name by then keeps it."""
    return _naming(path, _link, spare)


def beside(path: Path) -> Path:
    """A file in the same directory that may take the name of ``path``, which may be a long one."""
    return path.with_name(f"{_prefix(path)}{uuid4().hex}{TEMPORARY}")


@contextmanager
def _naming(path: Path, name: Callable[[Path, Path], object], spare: int) -> Iterator[IO[bytes]]:
    temporary = beside(path)
    with writable(path):
        try:
            with sparing(temporary, "xb", spare) as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # whoever clears away leftovers sees it is in use
                _keep_mode(file, path)
                yield file
                file.flush()
                os.fsync(file.fileno())
                name(temporary, path)
            sync_directory(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink()


def _link(temporary: Path, path: Path) -> None:
    with suppress(FileExistsError):
        os.link(temporary, path)


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
    with _naming(path, lambda *_: None, spare) as probe:
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


def _keep_mode(file: IO[bytes], path: Path) -> None:
    """Let those read what replaces a file who could read that, before there is anything to read."""
    with suppress(FileNotFoundError):
        os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
