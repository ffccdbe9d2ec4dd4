"""Authorization: a caller that presents the local key has every right, others have none."""

import hmac
import logging
from pathlib import Path
from typing import Literal, Protocol, get_args

import msgspec
from flask import Request
from werkzeug.datastructures import Authorization

from api.http.operator_bodies import read_query
from tasks.key_files import read_or_make_local_key
from telemetry.errors import Forbidden

log = logging.getLogger(__name__)
Right = Literal["debug", "any_path", "follow", "console", "registry"]
"""``debug``: see tracebacks. ``any_path``: name any path for a job, and see such jobs' files.
``follow``: see the ids of all predictions as they end. ``console``: sign in to the console.
``registry``: change what is registered, and download artifacts and samples."""


class _Query(msgspec.Struct, frozen=True):
    debug: bool = False


class Caller(msgspec.Struct, frozen=True):
    """The sender of a request, identified by the key it presents."""

    rights: frozenset[Right] = frozenset()

    def may(self, right: Right) -> bool:
        """Whether the caller has this right."""
        return right in self.rights


ANYONE = Caller()
OWNER = Caller(frozenset(get_args(Right)))


class CallerSource(Protocol):
    """What tells the sender of a request: by the key that it presents, or by its session."""

    def caller(self, request: Request) -> Caller:
        """The sender of this request."""


class Rights:
    """Checks the local key, which `up` or the first API process creates."""

    def __init__(self, home: Path) -> None:
        self._key = local_key(home)

    def caller(self, request: Request) -> Caller:
        """The sender of this request; without the local key it has no rights."""
        return self._sender(_given(request))

    def caller_with(self, header: str) -> Caller:
        """The sender of a request with this `Authorization` header, or with none if it is empty."""
        try:
            return self._sender(Authorization.from_header(header))
        except ValueError:  # `Basic` credentials that are not ASCII
            return ANYONE

    def _sender(self, given: Authorization | None) -> Caller:
        if given is None or given.type != "bearer" or not self._key:
            return ANYONE
        # In constant time: the time of a comparison must not tell how much of a key is right.
        is_ours = hmac.compare_digest((given.token or "").encode(), self._key)
        return OWNER if is_ours else ANYONE

    def require_registry(self, request: Request) -> None:
        """Raise `Forbidden` unless the caller may change the registry."""
        if not self.caller(request).may("registry"):
            raise Forbidden(
                "changes of the registry, artifacts and samples need the local key, as "
                "`Authorization: Bearer <key>`; the file local.key in the server's home has it"
            )

    def debug(self, request: Request) -> bool:
        """Whether the request has ``debug=true``; raises `Forbidden` or `Invalid`."""
        wanted = read_query(request, _Query).debug
        if wanted and not self.caller(request).may("debug"):
            raise Forbidden(
                "debug=true needs the local key, as `Authorization: Bearer <key>`; "
                "the file local.key in the server's home has it"
            )
        return wanted


def _given(request: Request) -> Authorization | None:
    try:
        return request.authorization
    except ValueError:  # `Basic` credentials that are not ASCII
        return None


def local_key(home: Path) -> bytes:
    """Read or create the key; empty if that fails, as the API must serve without it too."""
    try:
        return read_or_make_local_key(home)
    except OSError as error:
        log.warning(
            "the local key cannot be read, so every request that needs it is refused: %s", error
        )
        return b""
