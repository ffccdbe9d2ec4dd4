"""Connection draining: during shutdown each answer closes its connection."""

from collections.abc import Awaitable, Callable
from typing import Any

from a2wsgi.asgi_typing import ASGIApp, Receive, Scope, Send

CLOSE = (b"connection", b"close")


class Drain:
    """ASGI middleware that passes requests straight through until `leave` is called."""

    def __init__(self, app: ASGIApp, hurry: Callable[[], None]) -> None:
        """``hurry`` is called on `leave` and must end all waiting."""
        self._app, self._serve, self._hurry = app, app, hurry

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        return self._serve(scope, receive, send)

    def leave(self) -> None:
        """Send ``Connection: close`` with every answer from now on."""
        self._serve = self._answer_and_close
        self._hurry()

    async def _answer_and_close(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing(event: Any) -> None:
            if event["type"] == "http.response.start":
                event = {**event, "headers": [*event["headers"], CLOSE]}
            await send(event)

        await self._app(scope, receive, closing)
