"""The key that a client presents: one that is given, or the local key of a stack of this user."""

import os
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

import httpx2

from predictq.arguments import invalid_argument
from predictq.http.address_search import MAX_FILE_BYTES, stacks

LOOPBACK = "127.0.0.1"
"""Not a name such as localhost, which may resolve to another user's server."""

GivenKey = str | Callable[[], str]
"""A key, or a function that returns the one to present now, such as a JWT that is renewed."""


class Authorization(httpx2.Auth):
    """Adds the `Authorization` header to each request, the retries included."""

    def __init__(self, key: GivenKey) -> None:
        self._key = key

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Give the request its header; raises `InvalidRequest` for what no header can hold."""
        key = self._key() if callable(self._key) else self._key
        request.headers["Authorization"] = f"Bearer {_checked(key)}"
        yield request


def authorization(base: httpx2.URL, given: GivenKey | None = None) -> Authorization | None:
    """What presents the key that is given, or that ``PREDICTQ_KEY`` has.

    Else the local key of the stack at this address; None if it is not a stack of this user on this
    machine, or its key cannot be read. Raises `InvalidRequest` for what no header can hold.
    """
    if callable(given):
        return Authorization(given)
    key = given or os.environ.get("PREDICTQ_KEY") or _local_key(base)
    return Authorization(_checked(key)) if key else None


def _checked(key: str) -> str:
    if not (isinstance(key, str) and key.isascii() and key.isprintable()):
        raise invalid_argument("key", "a key has printable ASCII characters only")
    return key


def _local_key(base: httpx2.URL) -> str | None:
    if base.host != LOOPBACK:
        return None
    own = (stack for stack in stacks() if _origin(stack.url) == _origin(str(base)))
    return next(filter(None, (_key(stack.home) for stack in own)), None)


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
