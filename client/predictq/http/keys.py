"""The local key: it proves to a stack of this user, on this machine, who calls."""

import os
from contextlib import suppress
from pathlib import Path

import httpx2

from predictq.http.finding import LARGEST, stacks

LOOPBACK = "127.0.0.1"
"""No name, such as localhost: another user's server may answer to that."""


def authorization(base: httpx2.URL) -> dict[str, str]:
    """The header that presents the key of the stack at an address.

    Nothing where that is no stack of this user's on this machine, or its key cannot be read.
    """
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
        if path.is_file() and path.stat().st_uid == os.getuid() and path.stat().st_size < LARGEST:
            key = path.read_text("ascii").strip()
            return key if key.isprintable() and key else None
    return None
