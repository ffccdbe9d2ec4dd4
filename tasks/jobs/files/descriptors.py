"""Opens files and directories at paths that were resolved before, and follows no link there."""

import errno
import os
import stat
from pathlib import Path
from typing import IO

_MOVED = "a link was put in its way since it was accepted"


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file for reading.

    Raises `OSError`, also where the path has a link by now (``ELOOP``), or something lies there
    that is no regular file: to open a pipe would wait for a writer.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        _refuse_others(os.fstat(descriptor).st_mode)
        _refuse_links(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def open_directory(path: Path) -> int:
    """A descriptor of a directory, to name files in; the caller closes it.

    Raises `OSError`, also where the path has a link by now.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _refuse_links(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_others(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no regular file")


def _refuse_links(path: Path, descriptor: int) -> None:
    """Whatever came and went meanwhile: what was opened lies at this very path."""
    is_plain = os.path.realpath(path) == os.path.abspath(path)
    if not (is_plain and os.path.samestat(os.fstat(descriptor), os.lstat(path))):
        raise OSError(errno.ELOOP, _MOVED)
