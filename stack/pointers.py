"""Where stacks run on this machine: a pointer each, a small file in the user's state directory.

Clients read these files, too: ``<port>.json`` holds the ``pid`` of `up`, its ``url`` and ``home``.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

STACKS = "predictq/stacks"


class Pointer(msgspec.Struct, frozen=True):
    """To a stack that was started."""

    pid: int
    url: str
    home: str


def put(path: Path, entry: Mapping[str, Any] | msgspec.Struct) -> None:
    """Write a file that its owner alone may read, and that is there whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.encode(entry) + b"\n")
    draft.replace(path)


def point(port: int, pointer: Pointer) -> None:
    """Leave the pointer of the stack at a port; where that is not possible there is none."""
    with suppress(OSError):
        if directory := _directory():
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            put(directory / f"{port}.json", pointer)


def erase(port: int) -> None:
    """Remove the pointer of a port."""
    with suppress(OSError):
        if directory := _directory():
            (directory / f"{port}.json").unlink(missing_ok=True)


def pointers() -> Iterator[Pointer]:
    """Those of the stacks whose `up` lives, by port; what the dead left is removed."""
    directory = _directory()
    paths = directory.glob("*.json") if directory else ()
    for path in sorted(paths, key=lambda path: (len(path.name), path.name)):
        with suppress(OSError, msgspec.DecodeError):  # who has just ended took it along
            pointer = msgspec.json.decode(path.read_bytes(), type=Pointer)
            if lives(pointer.pid):
                yield pointer
            else:
                path.unlink()


def lives(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True


def _directory() -> Path | None:
    """None where nobody says where state lies."""
    state, home = os.environ.get("XDG_STATE_HOME", ""), os.environ.get("HOME", "")
    if os.path.isabs(state):
        return Path(state, STACKS)
    return Path(home, ".local/state", STACKS) if home else None
