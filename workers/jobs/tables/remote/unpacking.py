"""Unpacks a compressed file, which cannot be read from its middle."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa

from tasks.jobs.files.naming import Compression
from telemetry.errors import InputChanged, InvalidInput
from workers.jobs.tables.output.replacing import adding, clear_leftovers
from workers.jobs.tables.remote.opening import InputWatch, fingerprint, opened, unreadable

_PIECE = 2**20


def unpack(
    uri: str,
    found: str,
    compression: Compression,
    target: Path,
    spare: int,
    check: Callable[[], object],
) -> None:
    """Write what the file of this fingerprint holds to ``target``, complete or not at all.

    What is there is left as it is, since somebody may read it. Raises `InvalidInput` where the file
    is broken or ends too early, `InputUnreadable`, `InputChanged` where it is another or was
    written to meanwhile, `OutputUnwritable` where less than ``spare`` bytes would stay free, and
    what ``check`` raises, which is called with each piece: a few bytes may hold a whole disk.
    """
    clear_leftovers(target)
    with adding(target, spare) as unpacked:
        for piece in _pieces(uri, found, compression):
            check()
            unpacked.write(piece)


def _pieces(uri: str, found: str, compression: Compression) -> Iterator[pa.Buffer]:
    watch = InputWatch(uri)
    if fingerprint(uri) != found:
        raise InputChanged(f"{uri} has changed since it was looked at")
    with watch.reading(), opened(uri) as file:
        yield from _unpacked(uri, file, compression)


def _unpacked(uri: str, file: IO[bytes], compression: Compression) -> Iterator[pa.Buffer]:
    try:
        with pa.input_stream(file, compression=compression) as stream:
            # `read` would leak its buffer whenever the file turns out to be broken.
            while (piece := stream.read_buffer(_PIECE)).size:
                yield piece
    except OSError as error:
        if error.errno:
            raise unreadable(uri, error) from error
        raise InvalidInput(f"{uri} is no whole {compression} file: {error}") from error
