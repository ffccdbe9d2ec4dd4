"""The Unix socket of the Redis of `up`, in a directory that only its owner can enter."""

import os
import stat
import tempfile
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

import click

MAX_SOCKET_PATH_BYTES = 100
"""Longest path of a socket. Systems allow 103 or 107 bytes, and silently truncate longer ones."""
PRIVATE_MODE = 0o700


def socket_path(directory: Path) -> Path:
    """The socket's path: in this directory, or in a short one if this path is not plain."""
    path = private(directory) / "redis.sock"
    if _is_plain(path):
        return path
    name = blake2b(os.fsencode(directory.absolute()), digest_size=8).hexdigest()
    return private(_short()) / f"{name}.sock"


def private(directory: Path) -> Path:
    """Create the directory or make it private (0700); refuses another user's directory."""
    directory.mkdir(parents=True, exist_ok=True, mode=PRIVATE_MODE)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise click.ClickException(
            f"{directory} must be a directory of your own, since Redis's socket lies there; "
            "remove it, or start with a shorter --home"
        )
    directory.chmod(PRIVATE_MODE)
    return directory


def url(socket: Path) -> str:
    """The URL of the Redis at this socket, for redis-py."""
    return f"unix://{quote(str(socket))}?db=0"


def _is_plain(path: Path) -> bool:
    """Whether a path is short enough, and needs no quoting in a URL, which Flower cannot read."""
    return len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES and quote(str(path)) == str(path)


def _short() -> Path:
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime, "predictq")
    return Path(tempfile.gettempdir(), f"predictq-{os.getuid()}")
