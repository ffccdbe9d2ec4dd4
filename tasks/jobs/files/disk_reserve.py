"""The disk reserve: job files leave space on their disk for other writers, Redis above all."""

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Any

WRITE_BYTES = 2**20
"""Bytes buffered before each write; each write checks the free space."""
CHECK_BYTES = 2**23
"""Bytes of growth between two checks."""


def open_with_reserve(file: Path | int, mode: str, spare: int) -> IO[bytes]:
    """Open a file or descriptor so that ``spare`` bytes of its disk stay free; + allows reading.

    Writing and closing raise `OSError` (``ENOSPC``), as on a full disk, instead of using them.
    """
    raw = _Sparing(file, mode, spare)
    return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw, WRITE_BYTES)


class Watched:
    """A file that calls ``check`` as it grows, and computes a digest of what is written."""

    def __init__(self, file: IO[bytes], check: Callable[[], object], digest: Any) -> None:
        """``check`` runs at the first write and after every 8 MiB; ``digest`` is of `hashlib`."""
        self._file, self._check, self._digest = file, check, digest
        self._since = CHECK_BYTES

    def write(self, data: bytes) -> int:
        """Write the data; raises what ``check`` raises, too."""
        self._since += len(data)
        if self._since >= CHECK_BYTES:
            self._check()
            self._since = 0
        self._digest.update(data)
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def open_unnamed(directory: Path, spare: int) -> IO[bytes]:
    """A temporary file without a name in the directory, opened as by `open_with_reserve`."""
    descriptor, name = mkstemp(dir=directory)
    # At once: then its space is freed however this process ends.
    os.unlink(name)
    return open_with_reserve(descriptor, "r+b", spare)


class _Sparing(io.FileIO):
    def __init__(self, file: Path | int, mode: str, spare: int) -> None:
        super().__init__(file if isinstance(file, int) else str(file), mode)
        self._spare = spare

    def write(self, data: Any, /) -> int:
        # At each write, not once at the start: others write to the same disk meanwhile.
        disk, more = os.fstatvfs(self.fileno()), memoryview(data).nbytes
        # Some file systems report no blocks, so their size is unknown.
        if disk.f_blocks and disk.f_bavail * disk.f_frsize - more < self._spare:
            raise OSError(errno.ENOSPC, f"{self._spare // 2**20} MiB of its disk must stay free")
        return super().write(data)
