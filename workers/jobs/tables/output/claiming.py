"""Moves an output into place, noting its fingerprint first, since the process may die in between.

A worker that was frozen and its successor may both write the output of a job, from the same parts,
and replace each other's file. With the fingerprints, either file is known to be the job's.
"""

import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from tasks.jobs.files.descriptors import stamp_of
from telemetry.errors import OutputExists
from workers.jobs.tables.replacing import (
    MoveIntoPlace,
    OpenOutput,
    link,
    open_to_move,
    replace,
)


def open_claimed(claims: Path) -> OpenOutput:
    """Open a file that replaces only files whose fingerprints are in ``claims``.

    Raises `OutputExists` if another file has its name.
    """
    return _by(claims, partial(_claim, claims))


def open_replacing(claims: Path) -> OpenOutput:
    """Open a file that replaces any existing file."""
    return _by(claims, replace)


def _by(claims: Path, name: MoveIntoPlace) -> OpenOutput:
    def noted(temporary: str, named: str, directory: int) -> None:
        with claims.open("a") as file:
            file.write(f"{_stamp(temporary, directory)}\n")
        # After the note: a death in between leaves a claim without a file, which does no harm.
        name(temporary, named, directory)

    return lambda path, spare: open_to_move(path, noted, spare)


def _claim(claims: Path, temporary: str, name: str, directory: int) -> None:
    if _lies_there(name, directory):
        if _stamp(name, directory) not in claims.read_text().splitlines():
            raise OutputExists
        replace(temporary, name, directory)
        return
    # Not `replace`: a link fails if another file got the name since the check above.
    try:
        link(temporary, name, directory)
    except FileExistsError as error:
        raise OutputExists from error
    except OSError:  # the file system has no hard links
        replace(temporary, name, directory)


def _lies_there(name: str, directory: int) -> bool:
    with suppress(FileNotFoundError):
        return bool(os.lstat(name, dir_fd=directory))
    return False


def _stamp(name: str, directory: int) -> str:
    return stamp_of(os.lstat(name, dir_fd=directory))
