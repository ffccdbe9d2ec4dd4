"""Receives bodies whole, on the event loop, so that who sends slowly holds no thread.

Uploads alone are streamed: they may be larger than memory.
"""

import time

from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.body_deadline import BodyDeadline
from api.asgi.protocol import once_more, send_response
from api.batches.schemas import ROUTE
from api.http.problems import answer_to
from api.operations.request_metrics import OTHER, Requests
from telemetry.errors import Busy, Malformed, PredictqError

BODILESS = ("GET", "HEAD")
UPLOADS = (ROUTE, f"{ROUTE}/validate")
CUT_OFF = "the body ends too soon"
SMALL_BODY_BYTES = 2**16
"""Bytes of each body that are never refused for want of room."""
MAX_HELD_BODIES = 16
"""Beyond those, as many bodies of the greatest size are held at a time; smaller ones are more."""


class Body:
    """What has come of a body."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    @property
    def large(self) -> int:
        """Bytes that need room."""
        return max(self.size - SMALL_BODY_BYTES, 0)

    def add(self, piece: bytes) -> None:
        """One more piece."""
        self._pieces.append(piece)
        self.size += len(piece)

    def whole(self) -> bytes:
        """All of it, which is not kept here any longer."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class BodyReceiver:
    """An ASGI application in front of another, which finds each body there already."""

    def __init__(self, app: ASGIApp, requests: Requests, bound: int) -> None:
        """``bound`` is the greatest size in bytes; of a longer one only the beginning is read."""
        self._app, self._requests, self._bound = app, requests, bound
        self._room = MAX_HELD_BODIES * bound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on one request, or say why its body cannot be read."""
        if scope["type"] != "http" or _is_unread(scope) or self._is_refused(scope):
            await self._app(scope, receive, send)
            return
        started, body = time.perf_counter(), Body()
        try:
            await self._fill(body, receive)
            await self._app(scope, once_more(body.whole(), receive), send)
        except PredictqError as error:
            answer = answer_to(error)
            self._requests.ended(OTHER, scope["method"], answer.status_code, started)
            await send_response(answer, send)
        finally:
            self._room += body.large

    async def _fill(self, body: Body, receive: Receive) -> None:
        patience = BodyDeadline()
        try:
            while body.size <= self._bound and await self._hears(body, patience, receive):
                pass
        except TimeoutError:
            raise Malformed(CUT_OFF) from None

    async def _hears(self, body: Body, patience: BodyDeadline, receive: Receive) -> bool:
        """Take one piece; whether there are more."""
        event = await patience.hear(receive)
        if event["type"] != "http.request":
            raise Malformed(CUT_OFF)
        before = body.large
        body.add(event["body"])
        self._room -= body.large - before
        if body.large > before and self._room < 0:
            raise Busy
        return bool(event.get("more_body", False))

    def _is_refused(self, scope: HTTPScope) -> bool:
        """Whether it announces more than anyone may send; who is behind says so, unread."""
        lengths = (value for name, value in scope["headers"] if name == b"content-length")
        return int(next(lengths, b"0")) > self._bound


def _is_unread(scope: HTTPScope) -> bool:
    """Whether it has no body, or one that a thread reads as it comes."""
    return scope["method"] in BODILESS or (scope["path"] in UPLOADS and _is_form(scope))


def _is_form(scope: HTTPScope) -> bool:
    """Whether it is a form beyond doubt, as Werkzeug sees it: of two types it would make one."""
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    return [t.partition(b";")[0].strip().lower() for t in types] == [b"multipart/form-data"]
