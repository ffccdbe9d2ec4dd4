"""Connection draining: during shutdown each answer closes its connection."""

from collections.abc import Awaitable, Callable
from typing import Any

from a2wsgi.asgi_typing import ASGIApp, Receive, Scope, Send

CLOSE = (b"connection", b"close")


class Drain:
    """ASGI middleware that passes requests straight through until `start_draining` is called."""

    def __init__(self, app: ASGIApp, end_waits: Callable[[], None]) -> None:
        """``end_waits`` is called on `start_draining` and must end all waiting."""
        self._app, self._serve, self._end_waits = app, app, end_waits

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        return self._serve(scope, receive, send)

    def start_draining(self) -> None:
        """Send ``Connection: close`` with every answer from now on."""
        # Exchanged as a whole, so that requests cost nothing until the process shuts down.
        self._serve = self._answer_and_close
        # A waiting request would be cut off by the end of the process; its caller can look it up.
        self._end_waits()

    async def _answer_and_close(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A client with keep-alive would send its next request to a process that is about to end.
        async def closing(event: Any) -> None:
            if event["type"] == "http.response.start":
                event = {**event, "headers": [*event["headers"], CLOSE]}
            await send(event)

        await self._app(scope, receive, closing)
