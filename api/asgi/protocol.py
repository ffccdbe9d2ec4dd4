"""What the event loop's side needs of ASGI: hand a request on, send a response."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import IO, Any

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import ASGIApp, Receive, Scope, Send
from flask import Flask, Response
from werkzeug.wsgi import FileWrapper

from api.asgi.body_deadline import BodyDeadline

log = logging.getLogger(__name__)
GONE = "predictq.gone"
"""In a scope: set once its client has left."""
HELD = "predictq.held"
"""In a scope: what its answer holds until all of it is sent."""
SEND_TIMEOUT = 60.0
"""Seconds after which a client that stopped in the middle of an answer is gone."""
SEND_BYTES = 2**18
"""Bytes of a file that are sent at a time."""
AHEAD = 2
"""Pieces that a thread may be ahead of what is sent: a client that reads none holds few of them."""


def in_threads(app: Flask, threads: int) -> ASGIApp:
    """Serve a Flask application, each request in one of so many threads."""

    def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # What comes without a length has an end all the same, and Werkzeug must be told; of what
        # has a length it then sees that the end is missing.
        if "CONTENT_LENGTH" not in environ:
            environ["wsgi.input_terminated"] = True
        environ["wsgi.file_wrapper"] = _in_large_pieces
        pieces, gone = app(environ, start_response), environ["asgi.scope"].get(GONE)
        return _while_heard(pieces, gone) if gone else pieces

    middleware = WSGIMiddleware(wsgi, threads, AHEAD)  # type: ignore[arg-type]  # typed apart

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def received() -> Any:
            try:
                return await patience.hear(receive)
            except TimeoutError:
                return {"type": "http.disconnect"}

        patience = BodyDeadline()
        gone: Any = scope.get(GONE) or threading.Event()
        with ExitStack() as held:
            answered: Any = {**scope, HELD: held}
            await middleware(answered, received, _while_taken(send, gone, scope.get("path")))

    return serve


def when_sent(environ: dict[str, Any], response: Response, call: Callable[[], None]) -> None:
    """Call once all of the response is sent; its thread is free before that."""
    scope = environ.get("asgi.scope")
    after: Callable[[Callable[[], None]], object] = (
        scope[HELD].callback if scope else response.call_on_close
    )
    after(call)


def noticing_who_leaves(app: ASGIApp) -> ASGIApp:
    """Have streams end once nobody listens: granian drops in silence what is sent to nobody."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await app(scope, receive, send)
            return
        gone = threading.Event()
        watch = asyncio.ensure_future(_tell_leaving(receive, gone))
        heard: Any = {**scope, GONE: gone}
        try:
            await app(heard, once_more(b"", receive), send)
        finally:
            watch.cancel()

    return serve


def _in_large_pieces(file: IO[bytes], _: int) -> FileWrapper:
    """A file as it is sent: each piece crosses from a thread to the loop, which costs."""
    return FileWrapper(file, SEND_BYTES)


async def _tell_leaving(receive: Receive, gone: threading.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


def _while_heard(pieces: Iterable[bytes], gone: threading.Event) -> Iterator[bytes]:
    try:
        for piece in pieces:
            if gone.is_set():
                return
            yield piece
    finally:
        getattr(pieces, "close", lambda: None)()


def _while_taken(send: Send, gone: threading.Event, path: object) -> Send:
    """Send while the client takes each piece in time; else it is gone, and the rest with it."""

    async def sent(event: Any) -> None:
        if gone.is_set():
            return
        try:
            for part in _in_parts(event):
                async with asyncio.timeout(SEND_TIMEOUT):
                    await send(part)
        except Exception as error:  # noqa: BLE001 - a thread waits until all is taken
            log.info("an answer was given up: %r", error, extra={"path": path})
            gone.set()

    return sent


def _in_parts(event: Any) -> Iterator[Any]:
    """The event; of a large body a piece at a time.

    Granian takes a whole body at once, and keeps it for a client that reads none of it.
    """
    body, goes_on = event.get("body", b""), event.get("more_body", False)
    if len(body) <= SEND_BYTES:
        yield event
        return
    for start in range(0, len(body), SEND_BYTES):
        end = start + SEND_BYTES
        yield {**event, "body": body[start:end], "more_body": goes_on or end < len(body)}


def by_path(prefix: str, its: ASGIApp, others: ASGIApp) -> ASGIApp:
    """Leave what lies under a path to one application, and everything else to another."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        under = scope["type"] == "http" and scope["path"].startswith(prefix)
        await (its if under else others)(scope, receive, send)

    return serve


def once_more(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read already, and then what else comes."""
    events: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return events.pop() if events else await receive()

    return again


async def send_response(response: Response, send: Send) -> None:
    """Send a response that is complete; raises `TimeoutError` where its client takes none of it."""
    headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in response.headers]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    body = response.get_data()
    async with asyncio.timeout(SEND_TIMEOUT if len(body) > SEND_BYTES else None):
        await send({"type": "http.response.body", "body": body})
