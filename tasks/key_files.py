"""Key files: created once, by the first process that needs one; readable by their owner only."""

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from tasks.callers.tokens import make_token

ID_KEY, LOCAL_KEY, WEBHOOK_KEY = "id.key", "local.key", "webhook.key"
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


def replace_key(path: Path, key: bytes) -> None:
    """Write a key in the place of another; after a crash the file has one of the two, whole."""
    with _fresh(path, key) as fresh:
        fresh.replace(path)
    _sync(path.parent)


def _make(path: Path, key: bytes) -> None:
    with _fresh(path, key) as fresh, contextlib.suppress(FileExistsError):
        os.link(fresh, path)  # fails if another process was first: its key counts
    _sync(path.parent)


@contextlib.contextmanager
def _fresh(path: Path, key: bytes) -> Iterator[Path]:
    """A file beside another with this content, which is on the disk; removed after the block."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        fresh.touch(mode=0o600)
        with fresh.open("wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
