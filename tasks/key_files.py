"""Key files: created once, by the first process that needs one; readable by their owner only."""

import contextlib
import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from tasks.callers.tokens import make_token

ID_KEY, LOCAL_KEY = "id.key", "local.key"
"""File names in the home; readable by their owner only."""
LOCAL_ID = "local000"
"""The id in the local key."""


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The key in a file, which ``make`` creates on first use; concurrent starts agree on one key.

    Raises `OSError` if the file cannot be read or is empty, as after an incomplete restore. A new
    key in its place would invalidate everything signed with the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _make(path, make())
    if not (key := path.read_bytes()):
        raise OSError(errno.ENODATA, "the key is empty: restore it, or delete the file", str(path))
    return key


def read_or_make_local_key(home: Path) -> bytes:
    """The local key of a home; its holder has the rights of the server's user."""
    path = home / LOCAL_KEY
    return read_or_make(path, lambda: make_token(LOCAL_ID)[0].encode() + b"\n").strip()


def _make(path: Path, key: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        fresh.touch(mode=0o600)
        with fresh.open("wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its key counts
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
