"""Problems in the form that clients of the protocol read: JSON with the text in `error`.

Requests are refused in several layers, from the check of their heads to the routes. This wraps all
of them.
"""

from typing import Any

import msgspec
from a2wsgi.asgi_typing import ASGIApp, Receive, Scope, Send

PREFIX = "/v2"
PROBLEM_TYPE = (b"content-type", b"application/problem+json")
_REPLACED = (b"content-type", b"content-length")


class ProtocolErrors:
    """ASGI middleware that adds `error` to each problem of a path of the protocol."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and _is_of_protocol(scope["path"]):
            send = _Rewriter(send)
        await self._app(scope, receive, send)


def _is_of_protocol(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")


class _Rewriter:
    """Sends an answer on, and a problem once its body is complete."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Any = None
        self._body = b""

    async def __call__(self, event: Any) -> None:
        if event["type"] == "http.response.start" and PROBLEM_TYPE in event["headers"]:
            self._start = event
        elif self._start is None:
            await self._send(event)
        else:
            self._body += event.get("body", b"")
            if not event.get("more_body", False):
                await self._finish()

    async def _finish(self) -> None:
        body = _with_error(self._body) if self._body else b""  # no body answers HEAD
        kept = [field for field in self._start["headers"] if field[0].lower() not in _REPLACED]
        told = (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))
        start: Any = {**self._start, "headers": [*kept, *told]}
        last: Any = {"type": "http.response.body", "body": body}
        await self._send(start)
        await self._send(last)


def _with_error(body: bytes) -> bytes:
    problem = msgspec.json.decode(body)
    return msgspec.json.encode({"error": problem["detail"], **problem})
