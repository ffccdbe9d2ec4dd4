"""Finds the server: by what the caller or the environment says, else by what runs here."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POINTERS = "predictq/stacks"
"""In the user's state directory; `predictq up` leaves a file there for each stack."""
DEFAULT = "http://127.0.0.1:5000"
LARGEST = 65_536
"""Bytes of a file that tells of a stack."""


@dataclass(frozen=True)
class Place:
    """An address, and, where nobody gave it, why it is the one."""

    url: str
    reason: str
    """Put behind the address."""


def find(url: str | None = None) -> Place:
    """Where the server is.

    The first of: ``url``; ``PREDICTQ_URL``; ``PREDICTQ_PORT`` on this machine; the stack of the
    home directory (``PREDICTQ_HOME``, else ``~/.predictq``), if it runs; the only other stack that
    this user runs on this machine; port 5000.
    """
    if not (url is None or (isinstance(url, str) and not url)):
        return Place(url, "")
    if named := os.environ.get("PREDICTQ_URL"):
        return Place(named, " (by PREDICTQ_URL)")
    if port := os.environ.get("PREDICTQ_PORT"):
        return Place(f"http://127.0.0.1:{port}", " (by PREDICTQ_PORT)")
    return _running()


def _running() -> Place:
    home = _from_home(os.environ.get("PREDICTQ_HOME") or "~/.predictq")
    if home and (url := _told(home / "stack.json")):
        return Place(url, f" (by {home / 'stack.json'})")
    others = list(dict.fromkeys(_others()))
    if len(others) == 1:
        return Place(others[0], " (the only stack that runs here)")
    if others:
        return Place(DEFAULT, f" (by default, since several stacks run: {', '.join(others)})")
    return Place(
        DEFAULT, f" (by default, since none is known to run{f' on {home}' if home else ''})"
    )


def _others() -> Iterator[str]:
    state = os.environ.get("XDG_STATE_HOME", "")
    directory = _from_home(state if os.path.isabs(state) else "~/.local/state")
    try:
        files = sorted((directory / POINTERS).glob("*.json")) if directory else []
    except OSError:
        files = []
    for file in files:
        if url := _told(file):
            yield url


def _from_home(path: str) -> Path | None:
    """The path, ``~`` being the user's home; None where there is no home."""
    whole = os.path.expanduser(path)
    return None if whole.startswith("~") else Path(whole)


def _told(file: Path) -> str | None:
    """The address of the stack that a file tells of; None where that does not run."""
    try:
        # A pipe would keep us waiting.
        if not file.is_file() or file.stat().st_size > LARGEST:
            return None
        entry = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return _url(entry) if isinstance(entry, dict) and _lives(entry.get("pid")) else None


def _url(entry: dict[str, Any]) -> str | None:
    url = entry.get("url")
    return url if isinstance(url, str) and url.startswith(("http://", "https://")) else None


def _lives(pid: Any) -> bool:
    # Elsewhere than on POSIX there are no stacks, and signal 0 would end what it asks about.
    if os.name != "posix" or type(pid) is not int or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:  # it is somebody else's
        return True
    except (OSError, OverflowError):
        return False
    return True
