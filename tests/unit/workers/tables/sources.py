"""Shared by tests of tables: signatures, and reading a source to its end."""

import errno
import io
import itertools
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from registry.manifest import Column, Signature
from tasks.jobs.files.naming import Compression
from workers.jobs.tables.features.matching import Selection
from workers.jobs.tables.remote.opening import fingerprint
from workers.jobs.tables.remote.unpacking import unpack
from workers.jobs.tables.sources import open_source
from workers.jobs.tables.spans import BadRow, Block, Source


def numbers(*names: str, **more: Any) -> Signature:
    """A named signature of numeric columns."""
    columns = tuple(Column(name, **more) for name in names)
    return Signature(columns, named=True, frame=False, methods=("predict",))


def by_position(width: int) -> Signature:
    """A signature without column names."""
    columns = tuple(Column(f"x{index}") for index in range(width))
    return Signature(columns, named=False, frame=False, methods=("predict",))


class Disk(io.FileIO):
    """A file on a disk that can fail for a while."""

    fails = False
    read_bytes = 0

    def readinto(self, buffer: Any) -> int:
        if self.fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        size = super().readinto(buffer)
        self.read_bytes += size
        return size


def file_on_failing_disk(path: Path) -> tuple[Disk, IO[bytes]]:
    """A file to read from, and its disk."""
    disk = Disk(path)
    return disk, io.BufferedReader(disk, 1)


def unpacked(packed: Path, compression: Compression, target: Path) -> None:
    """Decompress a file, with its current fingerprint."""
    unpack(str(packed), fingerprint(str(packed)), compression, target, 0, lambda: None)


MIXED = Signature(
    (
        Column("age", nullable=True),
        Column("city", "string", nullable=True),
        Column("vip", "boolean"),
    ),
    named=True,
    frame=True,
    methods=("predict",),
)


def written(directory: Path, content: bytes | str) -> Path:
    """A file with this content."""
    path = directory / "rows"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def source_of(uri: str | Path, format: Any, signature: Signature, **more: Any) -> Source:
    return open_source(str(uri), format, Selection(signature, **more))


def blocks(path: Path, format: Any, signature: Signature, rows: int, **more: Any) -> list[Block]:
    """All blocks in order; checks that their spans skip nothing but blank lines."""
    source = source_of(path, format, signature, **more)
    spans = list(source.spans(rows))
    content = path.read_bytes()
    for before, behind in itertools.pairwise(spans):
        left_out = b"" if format == "parquet" else content[before.stop : behind.start]
        assert before.stop + len(left_out) == behind.start
        assert not left_out.strip(b"\r\n")
    read = [source.read(span) for span in spans]
    assert [block.rows for block in read] == [span.rows for span in spans]
    source.close()
    return read


def features(read: list[Block]) -> Any:
    """The good rows of all blocks, joined."""
    given = [block.features.whole() for block in read]
    if isinstance(given[0], pd.DataFrame):
        return pd.concat(given, ignore_index=True)
    return np.concatenate(given)


def bad(read: list[Block]) -> list[BadRow]:
    return [row for block in read for row in block.bad]
