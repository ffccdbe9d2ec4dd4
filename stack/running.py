"""`stack.json`: what `up` writes to its home while it runs, so that other commands find it."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from stack.pointers import is_running, pointers, put
from tasks.key_files import read_or_make_local_key

FILE = "stack.json"


class RunningStack(msgspec.Struct, frozen=True, kw_only=True):
    """The content of the file."""

    pid: int
    """Process id of `up`."""
    url: str
    """Address of the API."""
    flower_url: str | None = None
    redis_url: str = ""
    replaced: int = 0
    """How often `restart` has replaced the processes of API and workers."""
    stayed: tuple[str, ...] = ()
    """Names of the processes that could not be replaced the last time."""


def running_stack(home: Path) -> RunningStack | None:
    """The stack that runs on this home; None if there is none, or its process has ended."""
    try:
        stack = msgspec.json.decode((home / FILE).read_bytes(), type=RunningStack)
        _ = urlsplit(stack.url).port  # raises `ValueError` for an address that is none
    except (FileNotFoundError, msgspec.DecodeError, ValueError):
        return None  # a file that is damaged says nothing of a stack
    return stack if is_running(stack.pid) else None


def write_running_stack(home: Path, stack: RunningStack) -> None:
    """Write the file, atomically and readable by its owner only."""
    put(home / FILE, stack)


def erase_running_stack(home: Path) -> None:
    """Remove the file, if there is one."""
    (home / FILE).unlink(missing_ok=True)


def local_key_at(url: str) -> str | None:
    """The local key of this user's stack at an address; None if there is none, or no key."""
    for pointer in pointers():
        if pointer.url == url:
            with suppress(OSError):
                return read_or_make_local_key(Path(pointer.home)).decode()
    return None
