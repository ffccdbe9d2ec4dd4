"""Where the Redis of `up` listens: a socket in a directory that is open to its owner alone."""

import os
import stat
import tempfile
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

import click

MAX_SOCKET_PATH_BYTES = 100
"""Bytes of a socket's path: systems take 103 or 107, without a word of what they cut off."""
OWNER_ALONE = 0o700


def place(directory: Path) -> Path:
    """The path of the socket: in this directory, or in another where that is no plain one."""
    path = private(directory) / "redis.sock"
    if _is_plain(path):
        return path
    name = blake2b(os.fsencode(directory.absolute()), digest_size=8).hexdigest()
    return private(_short()) / f"{name}.sock"


def private(directory: Path) -> Path:
    """The directory, made if need be, for its owner alone; refuses one of somebody else's."""
    directory.mkdir(parents=True, exist_ok=True, mode=OWNER_ALONE)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise click.ClickException(
            f"{directory} must be a directory of your own, since Redis's socket lies there; "
            "remove it, or start with a shorter --home"
        )
    directory.chmod(OWNER_ALONE)
    return directory


def url(socket: Path) -> str:
    """The address of a Redis that listens there, as redis-py reads it."""
    return f"unix://{quote(str(socket))}?db=0"


def _is_plain(path: Path) -> bool:
    """Short enough for a socket, and without what is quoted in an address: Flower reads no such."""
    return len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES and quote(str(path)) == str(path)


def _short() -> Path:
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime, "predictq")
    return Path(tempfile.gettempdir(), f"predictq-{os.getuid()}")
