"""Gives an output its name, noting first by what it is known: a process may die in between.

Of two who put a job together, as one that was frozen and its successor, each may replace the
other's file, which is of the same parts; so either's may lie there in the end.
"""

import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from tasks.jobs.files.fingerprints import stamp_of
from telemetry.errors import OutputExists
from workers.jobs.tables.output.replacing import Naming, Taking, link, naming, replace


def claiming(claims: Path) -> Taking:
    """Opens a file that replaces none but those whose stamps stand in ``claims``.

    Where it does not get its name for that, `OutputExists` is raised.
    """
    return _by(claims, partial(_claim, claims))


def replacing_by(claims: Path) -> Taking:
    """Opens a file that replaces whatever lies there."""
    return _by(claims, replace)


def _by(claims: Path, name: Naming) -> Taking:
    def noted(temporary: str, named: str, directory: int) -> None:
        with claims.open("a") as file:
            file.write(f"{_stamp(temporary, directory)}\n")
        name(temporary, named, directory)

    return lambda path, spare: naming(path, noted, spare)


def _claim(claims: Path, temporary: str, name: str, directory: int) -> None:
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
