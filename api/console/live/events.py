"""Server-sent events of the console, on the event loop: one picture a second for all listeners.

The fragments of a picture are rendered once, and only those that changed are sent.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.protocol import send_response
from api.asgi.server_sent_events import HEARTBEAT, StreamSender, run_until_left
from api.callers.current import caller_in, require_scope
from api.callers.seeing import require_every_model
from api.console.live.load_series import Point
from api.console.live.sampler import Picture, Sampler
from api.http.problems import answer_to
from api.operations.request_metrics import RequestMetrics
from telemetry.errors import Busy, PredictqError

CONSOLE_EVENTS_PATH = "/console/events"
MAX_LISTENERS = 64
"""Pages that listen to one process at a time."""
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
        self,
        sampler: Sampler,
        render: Callable[[Picture], Fragments],
        requests: RequestMetrics,
        behind: ASGIApp,
    ) -> None:
        """``render`` is called once for each picture; ``behind`` serves all other requests."""
        self._sampler, self._render = sampler, render
        self._requests, self._behind = requests, behind
        self._fragments: Fragments = {}
        self._load: Point | None = None
        self._listeners: set[asyncio.Queue[bytes | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream to one page, or pass the request on."""
        if not _is_listening(scope):
            await self._behind(scope, receive, send)
            return
        started, status = time.perf_counter(), 200
        try:
            require_scope(caller_in(scope), "metrics")
            require_every_model(caller_in(scope))
            await self._stream(receive, send)
        except PredictqError as error:
            answer = answer_to(error)
            status = answer.status_code
            await send_response(answer, send)
        self._requests.ended(CONSOLE_EVENTS_PATH, "GET", status, started)

    def end_waits(self) -> None:
        """End all streams, because this process is about to shut down; pages reconnect."""
        self._has_ended = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._push, None)

    async def _stream(self, receive: Receive, send: Send) -> None:
        if self._has_ended or len(self._listeners) >= MAX_LISTENERS:
            raise Busy("too many console pages are open: try again later")
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=2)
        if self._fragments:
            waiting.put_nowait(encode_event(Update(self._fragments, self._load)))
        self._enter(waiting)
        try:
            await run_until_left(_send_all(waiting, StreamSender(send)), receive)
        finally:
            self._leave(waiting)

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


async def _send_all(waiting: "asyncio.Queue[bytes | None]", sender: StreamSender) -> None:
    await sender.begin()
    while (event := await _next(waiting, sender.until_heartbeat())) is not None:
        await sender.send(event)
    await sender.end()


async def _next(waiting: "asyncio.Queue[bytes | None]", within: float) -> bytes | None:
    try:
        async with asyncio.timeout(within):
            return await waiting.get()
    except TimeoutError:
        return HEARTBEAT
