"""Finds the server: by argument or environment, else among the stacks on this machine."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POINTERS = "predictq/stacks"
"""Directory in the user's state directory where `predictq up` leaves a file per stack."""
DEFAULT = "http://127.0.0.1:5000"
MAX_FILE_BYTES = 65_536
"""Greatest size of such a file in bytes."""


@dataclass(frozen=True)
class FoundAddress:
    """An address, and how it was found."""

    url: str
    reason: str
    """Appended to the address in messages; empty if the caller gave it."""


def find(url: str | None = None) -> FoundAddress:
    """Find the server's address.

    The first of: ``url``; ``PREDICTQ_URL``; ``PREDICTQ_PORT`` on this machine; the stack of the
    home directory (``PREDICTQ_HOME``, else ``~/.predictq``), if it runs; the only other stack that
    this user runs on this machine; port 5000.
    """
    if not (url is None or (isinstance(url, str) and not url)):
        return FoundAddress(url, "")
    if named := os.environ.get("PREDICTQ_URL"):
        return FoundAddress(named, " (by PREDICTQ_URL)")
    if port := os.environ.get("PREDICTQ_PORT"):
        return FoundAddress(f"http://127.0.0.1:{port}", " (by PREDICTQ_PORT)")
    return _running()


@dataclass(frozen=True)
class FoundStack:
    """A stack that this user runs on this machine."""

    url: str
    home: Path


def stacks() -> Iterator[FoundStack]:
    """All known running stacks, that of the home directory first."""
    if stack := _of_home():
        yield stack
    yield from _others()


def _running() -> FoundAddress:
    if stack := _of_home():
        return FoundAddress(stack.url, f" (by {stack.home / 'stack.json'})")
    home, others = _home(), list(dict.fromkeys(stack.url for stack in _others()))
    if len(others) == 1:
        return FoundAddress(others[0], " (the only stack that runs here)")
    if others:
        return FoundAddress(
            DEFAULT, f" (by default, since several stacks run: {', '.join(others)})"
        )
    return FoundAddress(
        DEFAULT, f" (by default, since none is known to run{f' on {home}' if home else ''})"
    )


def _of_home() -> FoundStack | None:
    home = _home()
    entry = home and _read_stack_file(home / "stack.json")
    return FoundStack(entry["url"], home) if home and entry else None


def _home() -> Path | None:
    return _from_home(os.environ.get("PREDICTQ_HOME") or "~/.predictq")


def _others() -> Iterator[FoundStack]:
    state = os.environ.get("XDG_STATE_HOME", "")
    directory = _from_home(state if os.path.isabs(state) else "~/.local/state")
    try:
        files = sorted((directory / POINTERS).glob("*.json")) if directory else []
    except OSError:
        files = []
    for file in files:
        if entry := _read_stack_file(file):
            yield FoundStack(entry["url"], Path(str(entry.get("home"))))


def _from_home(path: str) -> Path | None:
    """Expand ``~`` in a path; None if the user has no home."""
    whole = os.path.expanduser(path)
    return None if whole.startswith("~") else Path(whole)


def _read_stack_file(file: Path) -> dict[str, Any] | None:
    """Read the file of a stack, with its ``url``; None if the stack does not run."""
    try:
        # Reading a pipe would block.
        if not file.is_file() or file.stat().st_size > MAX_FILE_BYTES:
            return None
        entry = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    is_running = isinstance(entry, dict) and _has_url(entry) and _is_running(entry.get("pid"))
    return entry if is_running else None


def _has_url(entry: dict[str, Any]) -> bool:
    url = entry.get("url")
    return isinstance(url, str) and url.startswith(("http://", "https://"))


def _is_running(pid: Any) -> bool:
    # Stacks run on POSIX only. On Windows `os.kill` with signal 0 would end the process.
    if os.name != "posix" or type(pid) is not int or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:  # it belongs to another user
        return True
    except (OSError, OverflowError):
        return False
    return True
