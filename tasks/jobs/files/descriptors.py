"""Files at resolved paths: opened without following links that were added since, and told apart."""

import errno
import os
import stat
from pathlib import Path
from typing import IO

_MOVED = "a symbolic link replaced a part of the path after the job was accepted"


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file for reading.

    Raises `OSError`: ``ELOOP`` if the path contains a link by now, ``EINVAL`` for anything but a
    regular file, since opening a pipe would wait for a writer.
    """
    # O_NOFOLLOW refuses a link at the end of the path only; `_refuse_links` looks at the rest.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        _refuse_others(os.fstat(descriptor).st_mode)
        _refuse_links(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def open_directory(path: Path) -> int:
    """A descriptor of a directory, for use as ``dir_fd``; the caller closes it.

    Raises `OSError`, with ``ELOOP`` if the path contains a link by now.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _refuse_links(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def stamp_of(status: os.stat_result) -> str:
    """A fingerprint, which changes with the file, without reading its content.

    Size in bytes, modification time in Unix nanoseconds, and inode, separated by spaces.
    """
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def _refuse_others(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file")


def _refuse_links(path: Path, descriptor: int) -> None:
    """Compare after opening, so that changes meanwhile do not matter: this very path was opened."""
    # The path may be exchanged between these calls, too; then its inode is another one.
    is_plain = os.path.realpath(path) == os.path.abspath(path)
    if not (is_plain and os.path.samestat(os.fstat(descriptor), os.lstat(path))):
        raise OSError(errno.ELOOP, _MOVED)
