"""Pointers to the stacks of this machine: one small file each in the user's state directory.

Clients read them too. ``<port>.json`` holds the ``pid`` of `up`, its ``url`` and its ``home``.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

STACKS = "predictq/stacks"


class Pointer(msgspec.Struct, frozen=True):
    """Where a stack runs."""

    pid: int
    url: str
    home: str


def put(path: Path, entry: Mapping[str, Any] | msgspec.Struct) -> None:
    """Write a file atomically, readable by its owner only."""
    draft = path.with_name(f"{path.name}.new")
    # Made with its mode before it has content, which others must not read at any moment.
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.encode(entry) + b"\n")
    draft.replace(path)


def write_pointer(port: int, pointer: Pointer) -> None:
    """Write the pointer of the stack at a port; errors are ignored, since pointers are a help."""
    with suppress(OSError):
        if directory := _directory():
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            put(directory / f"{port}.json", pointer)


def remove_pointer(port: int) -> None:
    """Remove the pointer of a port."""
    with suppress(OSError):
        if directory := _directory():
            (directory / f"{port}.json").unlink(missing_ok=True)


def pointers() -> Iterator[Pointer]:
    """Pointers to the stacks whose `up` runs, ordered by port; stale ones are removed."""
    directory = _directory()
    paths = directory.glob("*.json") if directory else ()
    for path in sorted(paths, key=lambda path: (len(path.name), path.name)):
        with suppress(OSError, msgspec.DecodeError):  # removed meanwhile by a stack that ended
            pointer = msgspec.json.decode(path.read_bytes(), type=Pointer)
            if is_running(pointer.pid):
                yield pointer
            else:
                path.unlink()


def is_running(pid: int) -> bool:
    """Whether a process with this pid exists."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it belongs to another user
        return True
    return True


def _directory() -> Path | None:
    """The pointers' directory; None if neither XDG_STATE_HOME nor HOME is set."""
    state, home = os.environ.get("XDG_STATE_HOME", ""), os.environ.get("HOME", "")
    if os.path.isabs(state):
        return Path(state, STACKS)
    return Path(home, ".local/state", STACKS) if home else None
