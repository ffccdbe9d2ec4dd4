"""Receives whole bodies on the event loop, so that a slow client holds no thread.

Only uploads are streamed, because they may be larger than memory.
"""

import re
import time
from functools import partial
from typing import Any

from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.body_deadline import BodyDeadline
from api.asgi.protocol import replay_body, send_response
from api.batches.schemas import ROUTE
from api.http.problems import answer_to
from api.operations.request_metrics import OTHER, RequestMetrics
from telemetry.errors import Busy, Malformed, PredictqError

METHODS_WITHOUT_BODY = ("GET", "HEAD")
_upload_path = re.compile(rf"{ROUTE}(/validate)?|/models/[^/]+/versions|/upload_model")
BODY_RELEASED = "predictq.body_released"
"""Key in a scope: a function to call once the body is no longer in memory."""
INCOMPLETE_BODY = "the body is incomplete"
SMALL_BODY_BYTES = 2**16
"""Bytes of each body that do not count towards the capacity, and so are never refused."""
MAX_HELD_BODIES = 16
"""Capacity for the counted bytes, as a number of bodies of the greatest size."""


class Body:
    """The pieces of a body received so far."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    @property
    def large(self) -> int:
        """Bytes that count towards the capacity: those beyond `SMALL_BODY_BYTES`."""
        return max(self.size - SMALL_BODY_BYTES, 0)

    def add(self, piece: bytes) -> None:
        """Append a piece."""
        self._pieces.append(piece)
        self.size += len(piece)

    def whole(self) -> bytes:
        """Return all bytes and release them here."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class BodyReceiver:
    """ASGI middleware that hands each request on with its body already received."""

    def __init__(self, app: ASGIApp, requests: RequestMetrics, bound: int) -> None:
        """``bound``: the greatest body in bytes. Reading stops beyond it; Flask answers 413."""
        self._app, self._requests, self._bound = app, requests, bound
        self._capacity = MAX_HELD_BODIES * bound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer why its body cannot be read (400 or 503)."""
        if scope["type"] != "http" or _is_unread(scope) or self._is_refused(scope):
            await self._app(scope, receive, send)
            return
        started, body = time.perf_counter(), Body()
        try:
            await self._fill(body, receive)
            released: Any = {**scope, BODY_RELEASED: partial(self._release, body)}
            await self._app(released, replay_body(body.whole(), receive), send)
        except PredictqError as error:
            answer = answer_to(error)
            self._requests.ended(OTHER, scope["method"], answer.status_code, started)
            await send_response(answer, send)
        finally:
            # At the latest: the bytes are in memory until the request is answered, or waits.
            self._release(body)

    def _release(self, body: Body) -> None:
        self._capacity += body.large
        body.size = 0

    async def _fill(self, body: Body, receive: Receive) -> None:
        deadline = BodyDeadline()
        try:
            # One piece beyond the bound is received, so that Flask sees a body that is too long.
            while body.size <= self._bound and await self._hears(body, deadline, receive):
                pass
        except TimeoutError:
            raise Malformed(INCOMPLETE_BODY) from None

    async def _hears(self, body: Body, deadline: BodyDeadline, receive: Receive) -> bool:
        """Receive one piece; returns whether more follow."""
        event = await deadline.receive(receive)
        if event["type"] != "http.request":
            raise Malformed(INCOMPLETE_BODY)
        # No lock: all of this runs on the event loop.
        before = body.large
        body.add(event["body"])
        self._capacity -= body.large - before
        # Small bodies do not count, so they pass even if large ones have used up the capacity.
        if body.large > before and self._capacity < 0:
            raise Busy
        return bool(event.get("more_body", False))

    def _is_refused(self, scope: HTTPScope) -> bool:
        """Whether Content-Length exceeds the bound. Flask then answers 413 without reading."""
        lengths = (value for name, value in scope["headers"] if name == b"content-length")
        return int(next(lengths, b"0")) > self._bound


def _is_unread(scope: HTTPScope) -> bool:
    """Whether there is nothing to receive here: no body, or an upload that a thread streams."""
    return scope["method"] in METHODS_WITHOUT_BODY or (
        _upload_path.fullmatch(scope["path"]) is not None and _is_form(scope)
    )


def _is_form(scope: HTTPScope) -> bool:
    """Whether the only Content-Type is a form. Werkzeug would join two headers into one."""
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    return [t.partition(b";")[0].strip().lower() for t in types] == [b"multipart/form-data"]
