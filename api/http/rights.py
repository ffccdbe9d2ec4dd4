"""Decides what a caller may: for now, a caller that presents the local key has every right."""

import hmac
import logging
from pathlib import Path
from typing import Literal, get_args

import msgspec
from flask import Request
from werkzeug.datastructures import Authorization

from api.http.operator_bodies import read_query
from tasks.key_files import read_or_make_local_key
from telemetry.errors import Forbidden

log = logging.getLogger(__name__)
Right = Literal["debug", "places"]
"""To be told tracebacks; to name any place for a job, and to see what was made of such places."""


class _Query(msgspec.Struct, frozen=True):
    debug: bool = False


class Caller(msgspec.Struct, frozen=True):
    """The sender of a request, as far as a key tells."""

    rights: frozenset[Right] = frozenset()

    def may(self, right: Right) -> bool:
        """Whether the caller has this right."""
        return right in self.rights


ANYONE = Caller()
OWNER = Caller(frozenset(get_args(Right)))


class Rights:
    """Knows the local key; made by `up`, or by whichever API process starts first."""

    def __init__(self, home: Path) -> None:
        self._key = _key(home)

    def caller(self, request: Request) -> Caller:
        """The sender of this request; a key that is none of ours gives no right."""
        given = _given(request)
        if given is None or given.type != "bearer" or not self._key:
            return ANYONE
        is_ours = hmac.compare_digest((given.token or "").encode(), self._key)
        return OWNER if is_ours else ANYONE

    def debug(self, request: Request) -> bool:
        """Whether it asks for what only some may see, and may; raises `Forbidden`, `Invalid`."""
        wanted = read_query(request, _Query).debug
        if wanted and not self.caller(request).may("debug"):
            raise Forbidden(
                "debug=true needs the local key, as `Authorization: Bearer <key>`; "
                "it lies in local.key, in the home of the server"
            )
        return wanted


def _given(request: Request) -> Authorization | None:
    try:
        return request.authorization
    except ValueError:  # where it is `Basic` and no ASCII
        return None


def _key(home: Path) -> bytes:
    """Empty where the disk is full or the file another's: the API serves all the same."""
    try:
        return read_or_make_local_key(home)
    except OSError as error:
        log.warning("there is no local key, so no caller has any right: %s", error)
        return b""
