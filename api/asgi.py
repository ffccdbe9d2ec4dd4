"""What the event loop's side needs of ASGI: read a body, hand it on, send a response."""

from collections.abc import Iterable
from typing import Any

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import ASGIApp, Receive, Scope, Send
from flask import Flask, Response

from telemetry.errors import Malformed


def in_threads(app: Flask, threads: int) -> ASGIApp:
    """Serve a Flask application, each request in one of so many threads."""

    def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # What comes without a length has an end all the same, and Werkzeug must be told.
        environ["wsgi.input_terminated"] = "CONTENT_LENGTH" not in environ
        return app(environ, start_response)

    middleware = WSGIMiddleware(wsgi, workers=threads)  # type: ignore[arg-type]  # typed apart

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def received() -> Any:  # granian's is no coroutine, which the middleware insists on
            return await receive()

        await middleware(scope, received, send)

    return serve


def by_path(prefix: str, its: ASGIApp, others: ASGIApp) -> ASGIApp:
    """Leave what lies under a path to one application, and everything else to another."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        under = scope["type"] == "http" and scope["path"].startswith(prefix)
        await (its if under else others)(scope, receive, send)

    return serve


async def read_body(receive: Receive) -> bytes:
    """The whole body; raises `Malformed` where the caller has gone before its end."""
    body, more = b"", True
    while more:
        event: dict[str, Any] = {**await receive()}
        if event["type"] != "http.request":
            raise Malformed("the body ends too soon")
        body, more = body + event["body"], event.get("more_body", False)
    return body


def once_more(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read already, and then what else comes."""
    events: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return events.pop() if events else await receive()

    return again


async def send_response(response: Response, send: Send) -> None:
    """Send a response that is complete."""
    headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in response.headers]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.get_data()})
