"""Gives an output its name, unless somebody else's file has it."""

import os
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import IO

from tasks.jobs.stamps import stamp_of
from telemetry.errors import OutputExists
from workers.files.replacing import link, naming, replace


def claiming(claims: Path, path: Path, spare: int) -> AbstractContextManager[IO[bytes]]:
    """Write a file as `replacing` does, but of what has the name, only our own may be replaced.

    A process may die between naming the file and saying so; whoever comes after it knows the file
    by ``claims``, in which each notes the stamp of its own before. Raises `OutputExists`, too.
    """
    return naming(path, partial(_claim, claims), spare)


def _claim(claims: Path, temporary: str, name: str, directory: int) -> None:
    with claims.open("a") as file:
        file.write(f"{_stamp(temporary, directory)}\n")
    if _lies_there(name, directory):
        if _stamp(name, directory) not in claims.read_text().splitlines():
            raise OutputExists
        replace(temporary, name, directory)
        return
    try:
        link(temporary, name, directory)
    except FileExistsError as error:
        raise OutputExists from error
    except OSError:  # there are file systems without links
        replace(temporary, name, directory)


def _lies_there(name: str, directory: int) -> bool:
    with suppress(FileNotFoundError):
        return bool(os.lstat(name, dir_fd=directory))
    return False


def _stamp(name: str, directory: int) -> str:
    return stamp_of(os.lstat(name, dir_fd=directory))
