"""Log files of bounded size. Who writes them keeps them open, so they are copied and emptied."""

import os
from contextlib import suppress
from pathlib import Path

MAX_LOG_BYTES = 16 * 2**20
"""Bytes of a log from which on it begins anew."""
KEPT = 3
"""Earlier ones that stay beside it, as ``worker.log.1`` and so on, the latest first."""
COPY_BYTES = 2**20
"""Bytes that are copied at a time."""


def rotate(log: Path) -> None:
    """Begin a log anew if it is too large; its last `MAX_LOG_BYTES` bytes stay beside it.

    What is written between the copy and its end is lost.
    """
    if not log.exists() or (size := log.stat().st_size) < MAX_LOG_BYTES:
        return
    for number in range(KEPT - 1, 0, -1):
        with suppress(FileNotFoundError):
            _kept(log, number).replace(_kept(log, number + 1))
    try:
        _copy(log, size, _kept(log, 1))
    except OSError:  # a full disk, which a log must not fill further
        _kept(log, 1).unlink(missing_ok=True)
    os.truncate(log, 0)


def _copy(log: Path, size: int, target: Path) -> None:
    """As much as there was before: somebody may write as fast as this copies."""
    with log.open("rb") as source, target.open("wb") as copy:
        source.seek(size - MAX_LOG_BYTES)
        for _ in range(MAX_LOG_BYTES // COPY_BYTES):
            copy.write(source.read(COPY_BYTES))


def _kept(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
