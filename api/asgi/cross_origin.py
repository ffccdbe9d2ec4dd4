"""Cross-origin requests: whose pages may read the API's answers (CORS).

The browser asks this of the server, and keeps answers from all other pages. Cookies are never
allowed, and pages of the console are for no other origin.
"""

import re
from typing import Any

from a2wsgi.asgi_typing import HTTPScope
from flask import Response

from api.callers.access import SESSIONS_PATH

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
REQUEST_FIELDS = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, "
    "Inference-Header-Content-Length, Last-Event-ID, Prefer, Range, X-Caller-Id"
)
"""Fields that pages may send; others have no meaning here."""
ANSWER_FIELDS = (
    b"Content-Disposition, Content-Range, ETag, Inference-Header-Content-Length, Location, "
    b"RateLimit, RateLimit-Policy, Retry-After"
)
"""Fields that pages may read, beside those that they always may."""
PREFLIGHT_SECONDS = 600
"""Seconds for which a browser may keep the answer to a preflight."""
_VARY = (b"vary", b"Origin")
HeaderField = tuple[bytes, bytes]
_origin = re.compile(r"https?://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?")


class CrossOrigin:
    """The origins whose pages may call the API."""

    def __init__(self, listed: str) -> None:
        """``listed``: origins, separated by commas; raises `ValueError` for what is none."""
        names = {name for each in listed.split(",") if (name := each.strip().lower())}
        if wrong := [name for name in sorted(names) if not _origin.fullmatch(name)]:
            raise ValueError(
                f"PREDICTQ_CORS_ORIGINS: {wrong[0]!r} is no origin; write scheme and host, and "
                "the port if there is one, such as https://app.example.com"
            )
        self._origins = frozenset(name.encode() for name in names)

    def fields(self, scope: HTTPScope) -> list[HeaderField]:
        """What the answer to a request tells the browser of it; empty if no origin is listed."""
        if not self._origins:
            return []
        if (origin := self._listed(scope)) is None:
            return [_VARY]  # the answer to another origin would have more
        told = (b"access-control-allow-origin", origin)
        return [_VARY, told, (b"access-control-expose-headers", ANSWER_FIELDS)]

    def admits(self, scope: HTTPScope) -> bool:
        """Whether the request comes from a page of a listed origin, and may."""
        return self._listed(scope) is not None

    def preflight(self, scope: HTTPScope) -> Response | None:
        """The answer to a preflight of a listed origin; None for any other request."""
        asks = any(name == b"access-control-request-method" for name, _ in scope["headers"])
        if scope["method"] != "OPTIONS" or not asks or not self.admits(scope):
            return None
        return Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": _METHODS,
                "Access-Control-Allow-Headers": REQUEST_FIELDS,
                "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
            },
        )

    def _listed(self, scope: HTTPScope) -> bytes | None:
        """The origin of the request if it is listed, and the only one."""
        origins: list[Any] = [value for name, value in scope["headers"] if name == b"origin"]
        is_listed = len(origins) == 1 and origins[0] in self._origins
        return origins[0] if is_listed and not scope["path"].startswith(SESSIONS_PATH) else None
