"""ASGI helpers: run Flask in threads, pass requests on, send responses."""

import asyncio
import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO, Any

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import ASGIApp, Receive, Scope, Send
from flask import Flask, Response
from werkzeug.wsgi import FileWrapper

from api.asgi.body_deadline import BodyDeadline
from api.callers.current import CALLER, caller_in
from api.http.downloads import SEND_BYTES
from api.http.responses import JsonAnswer
from api.limits.send_budget import ON_SENT

log = logging.getLogger(__name__)
DISCONNECTED = "predictq.gone"
"""Key in a scope: an event that is set once the client has disconnected."""
SEND_TIMEOUT = 60.0
"""Seconds after which a client that takes no data of an answer counts as disconnected."""
MAX_PIECES_AHEAD = 2
"""Pieces that a thread may produce ahead of sending: bounds memory held by a slow client."""


def run_in_threads(app: Flask, threads: int) -> ASGIApp:
    """Wrap a Flask application; each request runs in one of ``threads`` threads."""

    def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # Without this flag Werkzeug treats a body without Content-Length as empty. It is not set
        # for other bodies, so that Werkzeug notices one that ends too early.
        if "CONTENT_LENGTH" not in environ:
            environ["wsgi.input_terminated"] = True
        environ["wsgi.file_wrapper"] = _in_large_pieces
        environ[CALLER] = caller_in(environ["asgi.scope"])
        pieces, gone = app(environ, start_response), environ["asgi.scope"].get(DISCONNECTED)
        return _until_disconnected(pieces, gone) if gone else pieces

    middleware = WSGIMiddleware(wsgi, threads, MAX_PIECES_AHEAD)  # type: ignore[arg-type]  # typed apart

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def received() -> Any:
            try:
                return await deadline.receive(receive)
            except TimeoutError:  # Flask is told that a client that is too slow has disconnected
                return {"type": "http.disconnect"}

        deadline = BodyDeadline()
        gone: Any = scope.get(DISCONNECTED) or threading.Event()
        with ExitStack() as held:
            answered: Any = {**scope, ON_SENT: held}
            await middleware(answered, received, _with_send_timeout(send, gone, scope.get("path")))

    return serve


async def watch_disconnect(receive: Receive, gone: threading.Event) -> None:
    """Set the event once the client has disconnected; its body must have been received."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


def watch_disconnects(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that streams end when the client disconnects.

    Needed because granian silently drops data for a disconnected client.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        # Only for GET: the watch reads `receive`, and would take the pieces of a body from its
        # reader.
        if scope["type"] != "http" or scope["method"] != "GET":
            await app(scope, receive, send)
            return
        # A GET has no body, so the application gets an empty one: two readers of `receive` would
        # take each other's events.
        gone = threading.Event()
        watch = asyncio.ensure_future(watch_disconnect(receive, gone))
        heard: Any = {**scope, DISCONNECTED: gone}
        try:
            await app(heard, replay_body(b"", receive), send)
        finally:
            watch.cancel()

    return serve


def _in_large_pieces(file: IO[bytes], _: int) -> FileWrapper:
    """Read a file in large pieces, since passing each one from thread to loop costs time."""
    return FileWrapper(file, SEND_BYTES)


def _until_disconnected(pieces: Iterable[bytes], gone: threading.Event) -> Iterator[bytes]:
    try:
        for piece in pieces:
            if gone.is_set():
                return
            yield piece
    finally:
        getattr(pieces, "close", lambda: None)()


def _with_send_timeout(send: Send, gone: threading.Event, path: object) -> Send:
    """Wrap ``send``: if the client does not take a piece in time, drop the rest of the answer."""

    async def sent(event: Any) -> None:
        if gone.is_set():
            return  # pieces that the thread had produced before it noticed
        try:
            for part in _split_event(event):
                async with asyncio.timeout(SEND_TIMEOUT):
                    await send(part)
        except Exception as error:  # noqa: BLE001 - the thread waits for the end of sending
            log.info("sending an answer was abandoned: %r", error, extra={"path": path})
            gone.set()

    return sent


def _split_event(event: Any) -> Iterator[Any]:
    """Split an event with a large body into several.

    Granian buffers a whole body at once, even for a client that reads none of it.
    """
    body, goes_on = event.get("body", b""), event.get("more_body", False)
    if len(body) <= SEND_BYTES:
        yield event
        return
    for start in range(0, len(body), SEND_BYTES):
        end = start + SEND_BYTES
        yield {**event, "body": body[start:end], "more_body": goes_on or end < len(body)}


def route_by_path(prefixes: tuple[str, ...], theirs: ASGIApp, others: ASGIApp) -> ASGIApp:
    """Route paths that start with a prefix to one application, and all others to another."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        under = scope["type"] == "http" and scope["path"].startswith(prefixes)
        await (theirs if under else others)(scope, receive, send)

    return serve


def replay_body(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that first replays a body that was read already."""
    events: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return events.pop() if events else await receive()

    return again


async def send_response(response: Response, send: Send) -> None:
    """Send a complete response, a large one in pieces.

    Raises `TimeoutError` if the client does not take it.
    """
    headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in response.headers]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await _send_body(response.get_data(), send)


async def send_json(answer: JsonAnswer, send: Send) -> None:
    """`send_response` for a `JsonAnswer`."""
    fields = answer.fields
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await _send_body(answer.body, send)


async def _send_body(body: bytes, send: Send) -> None:
    if len(body) <= SEND_BYTES:
        await send({"type": "http.response.body", "body": body})
        return
    for piece in _split_event({"type": "http.response.body", "body": body}):
        async with asyncio.timeout(SEND_TIMEOUT):
            await send(piece)
