"""The door of a process: once it is to leave, each answer tells its caller to go elsewhere."""

from collections.abc import Awaitable, Callable
from typing import Any

from a2wsgi.asgi_typing import ASGIApp, Receive, Scope, Send

CLOSE = (b"connection", b"close")


class Drain:
    """An ASGI application in front of another, which costs nothing until it leaves."""

    def __init__(self, app: ASGIApp, hurry: Callable[[], None]) -> None:
        """``hurry`` is called once it leaves: nobody shall be kept waiting any longer."""
        self._app, self._serve, self._hurry = app, app, hurry

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        return self._serve(scope, receive, send)

    def leave(self) -> None:
        """From now on each answer ends its connection."""
        self._serve = self._answer_and_close
        self._hurry()

    async def _answer_and_close(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing(event: Any) -> None:
            if event["type"] == "http.response.start":
                event = {**event, "headers": [*event["headers"], CLOSE]}
            await send(event)

        await self._app(scope, receive, closing)
