"""The outermost check of each request: its head is bounded, and meant for this server.

It only inspects the head, so it runs on the event loop before everything else.
"""

import time
from typing import Any

from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.cross_origin import CrossOrigin, HeaderField
from api.asgi.protocol import send_response
from api.callers.access import SAFE_METHODS
from api.http.problems import answer_to
from api.operations.request_metrics import OTHER, RequestMetrics
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

MAX_FIELD_BYTES = 8192
"""Bytes of one header field, and of the request line; browsers do not send longer ones."""
MAX_HEAD_BYTES = 32_768
"""Bytes of the whole head; granian accepts at most 100 fields."""
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
]
"""Security headers of each answer: no content sniffing, no framing."""


class RequestFilter:
    """ASGI middleware that refuses oversized, misdirected and cross-site requests."""

    def __init__(
        self, app: ASGIApp, hosts: Hosts, origins: CrossOrigin, requests: RequestMetrics
    ) -> None:
        self._app, self._hosts, self._requests = app, hosts, requests
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer why it is refused."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        told = _with_fields([*SECURITY_HEADERS, *self._origins.fields(scope)], send)
        try:
            self._check(scope)
            answer = self._origins.preflight(scope)
        except PredictqError as error:
            answer = answer_to(error)
        if answer is None:
            await self._app(scope, receive, told)
        else:
            self._requests.ended(OTHER, scope["method"], answer.status_code, started)
            await send_response(answer, told)

    def _check(self, scope: HTTPScope) -> None:
        _bound(scope)
        # The bridge to Flask would raise: no standard says what such bytes mean.
        if not scope["query_string"].isascii():
            raise Malformed(
                "the query contains bytes that are not ASCII: percent-encode them (%xx)"
            )
        # Flask strips a doubled first slash and upper-cases the method, so Flask and the routing
        # before it (`route_by_path`, `FastPath`) would see different requests.
        if scope["path"].startswith("//"):
            raise NotFound(f"there is no route {scope['path'][:200]!r}")
        if not scope["method"].isupper():
            raise UnknownMethod
        # A proxy that decodes another coding, or one twice, would see another body.
        codings = [coding.lower() for coding in _fields(scope, b"transfer-encoding")]
        if codings not in ([], [b"chunked"]):
            raise Malformed("only the transfer coding chunked is supported, and only once")
        # Two Host fields: a proxy in front and Flask could each use another one.
        hosts = _fields(scope, b"host")
        if len(hosts) != 1 or not self._hosts.takes(hosts[0]):
            raise Misdirected
        if scope["method"] not in SAFE_METHODS and not self._is_own(scope, hosts[0]):
            raise CrossSite

    def _is_own(self, scope: HTTPScope, host: bytes) -> bool:
        """Whether it is not from another site's page, or from one that the operator has listed.

        Old browsers send only `Origin`.
        """
        if self._origins.admits(scope):
            return True
        origins = _fields(scope, b"origin")
        if origins:
            return all(self._hosts.trusts(origin, host) for origin in origins)
        return b"cross-site" not in _fields(scope, b"sec-fetch-site")


def _fields(scope: HTTPScope, wanted: bytes) -> list[bytes]:
    """The values of all header fields of a name."""
    return [value for name, value in scope["headers"] if name == wanted]


def _bound(scope: HTTPScope) -> None:
    # The first check, as all later ones take time with the length of the head.
    total = line = len(scope["method"]) + len(scope["path"]) + len(scope["query_string"])
    for name, value in scope["headers"]:
        length = len(name) + len(value)
        total += length
        if length > MAX_FIELD_BYTES:
            raise HeadTooLarge
    if line > MAX_FIELD_BYTES or total > MAX_HEAD_BYTES:
        raise HeadTooLarge


def _with_fields(added: list[HeaderField], send: Send) -> Send:
    """Wrap ``send`` to add header fields."""

    async def told(event: Any) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event["headers"], *added]}
        await send(event)

    return told
