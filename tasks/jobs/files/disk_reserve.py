"""Files of jobs that leave room on their disk to others who write there, before all to Redis."""

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Any

WRITE_BYTES = 2**20
"""Bytes that are gathered before they are written; each time the disk is looked at."""
OFTEN = 2**23
"""Bytes of growth."""


def sparing(file: Path | int, mode: str, spare: int) -> IO[bytes]:
    """Open a file, or a descriptor, where so many bytes of its disk stay free; + reads as well.

    Writing and closing raise `OSError` (``ENOSPC``) where they would not, as on a full disk.
    """
    raw = _Sparing(file, mode, spare)
    return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw, WRITE_BYTES)


class Watched:
    """A file whose growth is looked at now and then, and whose content is digested."""

    def __init__(self, file: IO[bytes], check: Callable[[], object], digest: Any) -> None:
        """``digest`` is one of `hashlib`."""
        self._file, self._check, self._digest = file, check, digest
        self._since = OFTEN

    def write(self, data: bytes) -> int:
        """Raises what the check raises, too."""
        self._since += len(data)
        if self._since >= OFTEN:
            self._check()
            self._since = 0
        self._digest.update(data)
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def unnamed(directory: Path, spare: int) -> IO[bytes]:
    """An empty file there to write to and to read, as `sparing`; it is gone once it is closed."""
    descriptor, name = mkstemp(dir=directory)
    os.unlink(name)
    return sparing(descriptor, "r+b", spare)


class _Sparing(io.FileIO):
    def __init__(self, file: Path | int, mode: str, spare: int) -> None:
        super().__init__(file if isinstance(file, int) else str(file), mode)
        self._spare = spare

    def write(self, data: Any, /) -> int:
        disk, more = os.fstatvfs(self.fileno()), memoryview(data).nbytes
        # One without blocks does not say how large it is.
        if disk.f_blocks and disk.f_bavail * disk.f_frsize - more < self._spare:
            raise OSError(errno.ENOSPC, f"{self._spare // 2**20} MiB of its disk must stay free")
        return super().write(data)
