"""Files that are there complete or not at all, and say plainly why not."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from registry.files import TEMPORARY, sync_directory
from telemetry.errors import OutputUnwritable


def replacing(path: Path) -> AbstractContextManager[IO[bytes]]:
    """Write a file beside ``path`` that takes its name at the end, safe against a power loss.

    Raises `OutputUnwritable`; whatever is raised, the file is gone and ``path`` as it was.
    """
    return _naming(path, os.replace)


def adding(path: Path) -> AbstractContextManager[IO[bytes]]:
    """The same, but what has the name by then keeps it."""
    return _naming(path, _link)


@contextmanager
def _naming(path: Path, name: Callable[[Path, Path], None]) -> Iterator[IO[bytes]]:
    temporary = path.with_name(f".{path.name}.{uuid4().hex}{TEMPORARY}")
    with writable(path):
        try:
            with temporary.open("xb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # whoever clears away leftovers sees it is in use
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
    for leftover in path.parent.glob(f".{_literally(path.name)}.*{TEMPORARY}"):
        with suppress(OSError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def check_writable(path: Path) -> None:
    """Raise `OutputUnwritable` unless a file can be written there now."""
    with writable(path):
        if path.is_dir():
            raise OutputUnwritable(f"{path} is a directory")
        probe = path.with_name(f".{path.name}.{uuid4().hex}{TEMPORARY}")
        probe.touch(exist_ok=False)
        probe.unlink()


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Tell why ``path`` cannot be written: as `OutputUnwritable`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputUnwritable(f"{path} cannot be written: {reason}") from error


def _literally(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
