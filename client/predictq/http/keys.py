"""The key that a client presents: one that is given, or the local key of a stack of this user."""

import os
from contextlib import suppress
from pathlib import Path

import httpx2

from predictq.arguments import invalid_argument
from predictq.http.address_search import MAX_FILE_BYTES, stacks

LOOPBACK = "127.0.0.1"
"""Not a name such as localhost, which may resolve to another user's server."""


def authorization(base: httpx2.URL, given: str | None = None) -> dict[str, str]:
    """The `Authorization` header with the key that is given, or that ``PREDICTQ_KEY`` has.

    Else with the local key of the stack at this address; empty if it is not a stack of this user on
    this machine, or its key cannot be read. Raises `InvalidRequest` for what no header can hold.
    """
    if key := given or os.environ.get("PREDICTQ_KEY"):
        if not (key.isascii() and key.isprintable()):
            raise invalid_argument("key", "a key has printable ASCII characters only")
        return {"Authorization": f"Bearer {key}"}
    if base.host == LOOPBACK:
        for stack in stacks():
            if _origin(stack.url) == _origin(str(base)) and (key := _key(stack.home)):
                return {"Authorization": f"Bearer {key}"}
    return {}


def _origin(url: str) -> tuple[str, str, int | None] | None:
    with suppress(httpx2.InvalidURL, ValueError):
        parts = httpx2.URL(url)
        return parts.scheme, parts.host, parts.port
    return None


def _key(home: Path) -> str | None:
    path = home / "local.key"
    with suppress(OSError, UnicodeDecodeError):
        if (
            path.is_file()
            and path.stat().st_uid == os.getuid()
            and path.stat().st_size < MAX_FILE_BYTES
        ):
            key = path.read_text("ascii").strip()
            return key if key.isprintable() and key else None
    return None
