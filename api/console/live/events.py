"""Server-sent events of the console, on the event loop: one picture a second for all listeners.

The fragments of a picture are rendered once, and only those that changed are sent.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.protocol import send_response
from api.console.live.history import Point
from api.console.live.sampler import Picture, Sampler
from api.http.problems import answer_to
from telemetry.errors import Busy

CONSOLE_EVENTS_PATH = "/console/events"
MAX_LISTENERS = 64
"""Pages that listen to one process at a time."""
SEND_SECONDS = 5.0
"""Seconds after which a listener that takes no data is cut off."""
COMMENT_SECONDS = 15.0
"""Seconds of silence after which a comment is sent, by which proxies see that we live."""
EVENT_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
Fragments = dict[str, str]


class Update(msgspec.Struct, frozen=True):
    """One event: what changed on the pages."""

    fragments: Fragments
    """Id of an element → its new content as HTML."""
    point: Point | None
    """The load of the last seconds, for the charts."""


class LiveEvents:
    """ASGI application that streams updates to any number of pages, up to `MAX_LISTENERS`."""

    def __init__(
        self, sampler: Sampler, render: Callable[[Picture], Fragments], behind: ASGIApp
    ) -> None:
        """``render`` is called once for each picture; ``behind`` serves all other requests."""
        self._sampler, self._render, self._behind = sampler, render, behind
        self._fragments: Fragments = {}
        self._load: Point | None = None
        self._listeners: set[asyncio.Queue[bytes | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream to one page, or pass the request on."""
        if not _is_listening(scope):
            await self._behind(scope, receive, send)
        elif self._has_ended or len(self._listeners) >= MAX_LISTENERS:
            await send_response(answer_to(Busy("no further page can listen now")), send)
        else:
            await self._stream(receive, send)

    def end_waits(self) -> None:
        """End all streams, because this process is about to shut down; pages reconnect."""
        self._has_ended = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._push, None)

    async def _stream(self, receive: Receive, send: Send) -> None:
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=2)
        if self._fragments:
            waiting.put_nowait(encode_event(Update(self._fragments, self._load)))
        self._enter(waiting)
        gone = asyncio.ensure_future(_disconnected(receive))
        sending = asyncio.ensure_future(_send_all(waiting, send))
        try:
            await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leave(waiting)
            gone.cancel()
            sending.cancel()
            # Also takes note of the error of a page that stopped reading.
            await asyncio.gather(gone, sending, return_exceptions=True)

    def _enter(self, waiting: "asyncio.Queue[bytes | None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners.add(waiting)
        self._sampler.listen(self._heard)

    def _leave(self, waiting: "asyncio.Queue[bytes | None]") -> None:
        self._listeners.discard(waiting)
        if not self._listeners:
            self._sampler.unlisten(self._heard)

    def _heard(self, picture: Picture) -> None:
        """Called by the sampler's thread with each new picture."""
        fragments = self._render(picture)
        before = self._fragments
        changed = {name: html for name, html in fragments.items() if before.get(name) != html}
        self._fragments, self._load = fragments, picture.load
        event = encode_event(Update(changed, picture.load))
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._push, event)

    def _push(self, event: bytes | None) -> None:
        for waiting in self._listeners:
            _put(waiting, event)


def encode_event(update: Update) -> bytes:
    """An update as a server-sent event; JSON has no line breaks, so it is one line of data."""
    return b"data: " + msgspec.json.encode(update) + b"\n\n"


def _put(waiting: "asyncio.Queue[bytes | None]", event: bytes | None) -> None:
    # A listener that lags behind gets the end: its page reconnects, and gets everything anew.
    while waiting.full():
        waiting.get_nowait()
        event = None
    waiting.put_nowait(event)


def _is_listening(scope: Scope) -> bool:
    return scope["type"] == "http" and _is_events_request(scope)


def _is_events_request(scope: HTTPScope) -> bool:
    return scope["path"] == CONSOLE_EVENTS_PATH and scope["method"] == "GET"


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_all(waiting: "asyncio.Queue[bytes | None]", send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": EVENT_HEADERS})
    more = True
    while more:
        try:
            async with asyncio.timeout(COMMENT_SECONDS):
                event: Any = await waiting.get()
        except TimeoutError:
            event = b":\n\n"
        more = event is not None
        async with asyncio.timeout(SEND_SECONDS):
            await send({"type": "http.response.body", "body": event or b"", "more_body": more})
