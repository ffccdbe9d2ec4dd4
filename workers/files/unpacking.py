"""Unpacks a compressed file, which cannot be read from its middle."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa

from tasks.jobs.naming import Compression
from telemetry.errors import InputUnreadable, InvalidInput
from workers.files.opening import Watch, opened
from workers.files.replacing import clear_leftovers, replacing

_PIECE = 2**20


def unpack(uri: str, compression: Compression, target: Path) -> None:
    """Write what the file holds to ``target``, complete or not at all.

    Raises `InvalidInput` where it is broken or ends too early, `InputUnreadable`, `InputChanged`
    where it was written to meanwhile, `OutputUnwritable` where there is no room for it.
    """
    clear_leftovers(target)
    with Watch(uri).reading(), opened(uri) as file, replacing(target) as unpacked:
        for piece in _pieces(uri, file, compression):
            unpacked.write(piece)


def _pieces(uri: str, file: IO[bytes], compression: Compression) -> Iterator[bytes]:
    try:
        with pa.input_stream(file, compression=compression) as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except OSError as error:
        if error.errno:
            raise InputUnreadable(f"{uri} cannot be read: {error.strerror}") from error
        raise InvalidInput(f"{uri} is no whole {compression} file: {error}") from error
