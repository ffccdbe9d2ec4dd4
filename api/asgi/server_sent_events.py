"""Server-sent events: how the events of one stream are sent, and when it ends."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from a2wsgi.asgi_typing import Receive, Send

from api.asgi.protocol import SEND_TIMEOUT

log = logging.getLogger(__name__)
STREAM_HEARTBEAT_SECONDS = 15.0
"""Seconds of silence after which a comment is sent, by which proxies see that the stream lives."""
HEARTBEAT = b":\n\n"
EVENT_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class StreamSender:
    """Sends one stream, piece by piece; raises `TimeoutError` if its caller does not read."""

    def __init__(self, send: Send) -> None:
        self._send, self._sent_at = send, time.monotonic()

    async def begin(self) -> None:
        """Send the head of the answer."""
        await self._send({"type": "http.response.start", "status": 200, "headers": EVENT_HEADERS})

    async def send(self, events: bytes) -> None:
        """Send encoded events."""
        async with asyncio.timeout(SEND_TIMEOUT):
            await self._send({"type": "http.response.body", "body": events, "more_body": True})
        self._sent_at = time.monotonic()

    async def end(self) -> None:
        """Send the end of the answer; a browser then connects again."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def until_heartbeat(self) -> float:
        """Seconds until a comment is due."""
        return max(self._sent_at + STREAM_HEARTBEAT_SECONDS - time.monotonic(), 0.0)


async def run_until_left(stream: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Run a stream until it ends, its caller has left, or its caller does not read.

    Raises any other error of the stream.
    """
    running, leaving = asyncio.ensure_future(stream), asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((running, leaving), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
    except TimeoutError as error:
        log.info("a stream of events was cut off: %s", error or "its caller does not read")
    finally:
        running.cancel()
        leaving.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await running


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
