"""What each request passes first: its head is bounded, and meant for this server.

It costs a look at each header field, so it stands on the event loop before everything else.
"""

import time
from typing import Any

from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.protocol import send_response
from api.http.problems import answer_to
from api.operations.request_metrics import OTHER, Requests
from tasks.hosts import Hosts
from telemetry.errors import (
    CrossSite,
    HeadTooLarge,
    Malformed,
    Misdirected,
    NotFound,
    PredictqError,
    UnknownMethod,
)

LONGEST_FIELD = 8192
"""Bytes of one header field, and of the path with its query; a browser sends no longer ones."""
MAX_HEAD_BYTES = 32_768
"""Bytes of all of them; granian takes no more than 100 fields."""
SAFE = ("GET", "HEAD", "OPTIONS")
TOLD = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
]
"""What browsers are told with each answer: to take it for what it is, and to frame it nowhere."""


class Entrance:
    """An ASGI application in front of another, which is asked only what is meant for it."""

    def __init__(self, app: ASGIApp, hosts: Hosts, requests: Requests) -> None:
        self._app, self._hosts, self._requests = app, hosts, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on one request, or say why it is refused."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        try:
            self._check(scope)
        except PredictqError as error:
            answer = answer_to(error)
            self._requests.ended(OTHER, scope["method"], answer.status_code, started)
            await send_response(answer, _telling(send))
        else:
            await self._app(scope, receive, _telling(send))

    def _check(self, scope: HTTPScope) -> None:
        _bound(scope)
        # What hands requests to Flask would fail: no standard says what such bytes mean.
        if not scope["query_string"].isascii():
            raise Malformed("the query holds what is no ASCII: write its bytes as %xx")
        # Flask would take a path for the one without its first slash, and a method for that in
        # capitals: what chose their way here would have seen another request.
        if scope["path"].startswith("//"):
            raise NotFound(f"there is no route {scope['path'][:200]!r}")
        if not scope["method"].isupper():
            raise UnknownMethod
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self._hosts.takes(hosts[0]):
            raise Misdirected
        if scope["method"] not in SAFE and not self._is_own(dict(scope["headers"]), hosts[0]):
            raise CrossSite

    def _is_own(self, headers: dict[bytes, bytes], host: bytes) -> bool:
        """Whether no page of another site sent it; an old browser may tell by `Origin` alone."""
        origin = headers.get(b"origin")
        if origin is not None:
            return self._hosts.trusts(origin, host)
        return headers.get(b"sec-fetch-site") != b"cross-site"


def _bound(scope: HTTPScope) -> None:
    total = target = len(scope["path"]) + len(scope["query_string"])
    for name, value in scope["headers"]:
        length = len(name) + len(value)
        total += length
        if length > LONGEST_FIELD:
            raise HeadTooLarge
    if target > LONGEST_FIELD or total > MAX_HEAD_BYTES:
        raise HeadTooLarge


def _telling(send: Send) -> Send:
    """Send, and tell browsers what to make of it."""

    async def told(event: Any) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event["headers"], *TOLD]}
        await send(event)

    return told
