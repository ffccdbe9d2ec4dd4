"""Unpacks a compressed file, which cannot be read from its middle."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa

from tasks.jobs.naming import Compression
from telemetry.errors import InputChanged, InvalidInput, OutputUnwritable
from workers.files.opening import Watch, fingerprint, opened, unreadable
from workers.files.replacing import adding, clear_leftovers

_PIECE = 2**20
SPARE = 2**30
"""Bytes that are left free on the disk, which others write to as well."""


def unpack(uri: str, found: str, compression: Compression, target: Path) -> None:
    """Write what the file of this fingerprint holds to ``target``, complete or not at all.

    What is there is left as it is, since somebody may read it. Raises `InvalidInput` where the file
    is broken or ends too early, `InputUnreadable`, `InputChanged` where it is another or was
    written to meanwhile, `OutputUnwritable` where there is not room enough for it.
    """
    clear_leftovers(target)
    with adding(target) as unpacked:
        for piece in _pieces(uri, found, compression):
            _refuse_lack(target, len(piece))
            unpacked.write(piece)


def _pieces(uri: str, found: str, compression: Compression) -> Iterator[bytes]:
    watch = Watch(uri)
    if fingerprint(uri) != found:
        raise InputChanged(f"{uri} has changed since it was looked at")
    with watch.reading(), opened(uri) as file:
        yield from _unpacked(uri, file, compression)


def _unpacked(uri: str, file: IO[bytes], compression: Compression) -> Iterator[bytes]:
    try:
        with pa.input_stream(file, compression=compression) as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except OSError as error:
        if error.errno:
            raise unreadable(uri, error) from error
        raise InvalidInput(f"{uri} is no whole {compression} file: {error}") from error


def _refuse_lack(target: Path, more: int) -> None:
    if shutil.disk_usage(target.parent).free - more < SPARE:
        raise OutputUnwritable(
            f"{target} cannot be written: of the disk, {SPARE // 2**20} MiB must stay free"
        )
