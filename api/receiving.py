"""Receives bodies whole, on the event loop, so that who sends slowly holds no thread."""

import asyncio
from typing import Any

from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi import SILENCE, once_more, send_response
from api.problems import answer_to
from telemetry.errors import Busy, Malformed, PredictqError

BODILESS = ("GET", "HEAD")
CUT_OFF = "the body ends too soon"
ROOM = 16
"""As many bodies of the greatest size are held at a time; smaller ones are more."""


class Receiving:
    """An ASGI application in front of another, which finds each body there already."""

    def __init__(self, app: ASGIApp, bound: int) -> None:
        """``bound`` is the greatest size in bytes; of a longer one only the beginning is read."""
        self._app, self._bound = app, bound
        self._room = ROOM * bound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on one request, or say why its body cannot be read."""
        if scope["type"] != "http" or scope["method"] in BODILESS or self._is_refused(scope):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        try:
            await self._fill(body, receive)
            await self._app(scope, once_more(bytes(body), receive), send)
        except PredictqError as error:
            await send_response(answer_to(error), send)
        finally:
            self._room += len(body)

    async def _fill(self, body: bytearray, receive: Receive) -> None:
        try:
            async with asyncio.timeout(SILENCE) as silence:
                while len(body) <= self._bound and await self._hears(body, receive):
                    silence.reschedule(asyncio.get_running_loop().time() + SILENCE)
        except TimeoutError:
            raise Malformed(CUT_OFF) from None

    async def _hears(self, body: bytearray, receive: Receive) -> bool:
        """Take one piece; whether there are more."""
        event: dict[str, Any] = {**await receive()}
        if event["type"] != "http.request":
            raise Malformed(CUT_OFF)
        if len(event["body"]) > self._room:
            raise Busy
        self._room -= len(event["body"])
        body += event["body"]
        return bool(event.get("more_body", False))

    def _is_refused(self, scope: HTTPScope) -> bool:
        """Whether it announces more than anyone may send; who is behind says so, unread."""
        lengths = (value for name, value in scope["headers"] if name == b"content-length")
        return int(next(lengths, b"0")) > self._bound
