"""Log rotation by copy and truncate, because the writing processes keep their files open."""

import os
from contextlib import suppress
from pathlib import Path

MAX_LOG_BYTES = 16 * 2**20
"""Size in bytes at which a log is rotated."""
KEPT_FILES = 3
"""Rotated logs to keep, as ``worker.log.1`` (the latest) and so on."""
COPY_BYTES = 2**20
"""Bytes to copy at a time."""


def rotate(log: Path) -> None:
    """Rotate a log that has reached `MAX_LOG_BYTES`; its last `MAX_LOG_BYTES` bytes are kept.

    Lines written between the copy and the truncation are lost.
    """
    if not log.exists() or (size := log.stat().st_size) < MAX_LOG_BYTES:
        return
    for number in range(KEPT_FILES - 1, 0, -1):
        with suppress(FileNotFoundError):
            kept_log(log, number).replace(kept_log(log, number + 1))
    try:
        _copy(log, size, kept_log(log, 1))
    except OSError:  # the disk is full, and a log must not fill it further
        kept_log(log, 1).unlink(missing_ok=True)
    # Writers append (O_APPEND), so they go on at the new end, and leave no hole.
    os.truncate(log, 0)


def _copy(log: Path, size: int, target: Path) -> None:
    """Copy a fixed number of bytes, as a fast writer could make the copy endless."""
    with log.open("rb") as source, target.open("wb") as copy:
        source.seek(size - MAX_LOG_BYTES)
        for _ in range(MAX_LOG_BYTES // COPY_BYTES):
            copy.write(source.read(COPY_BYTES))


def kept_log(log: Path, number: int) -> Path:
    """A rotated file of a log; 1 is the latest."""
    return log.with_name(f"{log.name}.{number}")
