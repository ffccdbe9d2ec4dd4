"""Decides which callers may see tracebacks: for now, those that present the local key."""

import hmac
import logging
import secrets
from pathlib import Path

import msgspec
from flask import Request
from werkzeug.datastructures import Authorization

from api.bodies import read_query
from tasks.key_files import read_or_make
from telemetry.errors import Forbidden

log = logging.getLogger(__name__)


class _Query(msgspec.Struct, frozen=True):
    debug: bool = False


class Rights:
    """Knows the local key; made by whichever API process starts first."""

    def __init__(self, path: Path) -> None:
        self._key = _key(path)

    def debug(self, request: Request) -> bool:
        """Whether it asks for what only some may see, and may; raises `Forbidden`, `Invalid`."""
        wanted = read_query(request, _Query).debug
        if wanted and not self._is_local(request):
            raise Forbidden(
                "debug=true needs the local key, as `Authorization: Bearer <key>`; "
                "it lies in local.key, in the home of the server"
            )
        return wanted

    def _is_local(self, request: Request) -> bool:
        given = _given(request)
        if given is None or given.type != "bearer" or not self._key:
            return False
        return hmac.compare_digest((given.token or "").encode(), self._key)


def _given(request: Request) -> Authorization | None:
    try:
        return request.authorization
    except ValueError:  # where it is `Basic` and no ASCII
        return None


def _key(path: Path) -> bytes:
    """Empty where the disk is full or the file another's: the API serves all the same."""
    try:
        return read_or_make(path, lambda: secrets.token_urlsafe(32).encode() + b"\n").strip()
    except OSError as error:
        log.warning("there is no local key, so nobody is told tracebacks: %s", error)
        return b""
