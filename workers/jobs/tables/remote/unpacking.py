"""Decompresses an input, since compressed files cannot be read from the middle."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa

from tasks.jobs.files.naming import Compression
from telemetry.errors import InputChanged, InvalidInput
from workers.jobs.tables.remote.opening import InputWatch, fingerprint, opened, unreadable
from workers.jobs.tables.replacing import clear_leftovers, open_to_add

_PIECE = 2**20


def unpack(
    uri: str,
    found: str,
    compression: Compression,
    target: Path,
    spare: int,
    check: Callable[[], object],
) -> None:
    """Decompress a file to ``target``, complete or not at all.

    An existing target is kept, since another process may be reading it. ``found`` is the expected
    fingerprint. ``check`` is called before each piece, since a small file may expand to a full
    disk. Raises `InvalidInput` if the file is broken or truncated, `InputUnreadable`,
    `InputChanged` if it does not have the fingerprint or changes meanwhile, `OutputUnwritable`
    if it would touch the disk reserve of ``spare`` bytes, and the errors of ``check``.
    """
    # Before the disk is filled further: each may be as large as the whole input.
    clear_leftovers(target)
    with open_to_add(target, spare) as unpacked:
        for piece in _pieces(uri, found, compression):
            check()
            unpacked.write(piece)


def _pieces(uri: str, found: str, compression: Compression) -> Iterator[pa.Buffer]:
    watch = InputWatch(uri)
    if fingerprint(uri) != found:
        raise InputChanged(f"{uri} changed while it was read")
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
        raise InvalidInput(f"{uri} is not a complete {compression} file: {error}") from error
