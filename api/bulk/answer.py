"""A streamed answer of NDJSON, and the answer that was complete before any of it was sent."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from http import HTTPStatus

from a2wsgi.asgi_typing import HTTPResponseBodyEvent, HTTPResponseStartEvent, Send
from flask import Response

from api.asgi.protocol import SEND_TIMEOUT, send_response

log = logging.getLogger(__name__)
NDJSON = "application/x-ndjson"
MAX_UNSENT_BYTES = 2**22
"""Bytes of an answer that are kept for a client which does not read yet: many send all lines before
they read. The answers to all lines are within this."""
MAX_DETAILED_BYTES = 2**20
"""Unsent bytes beyond which problems are told without details, so that other answers fit."""


class StreamedAnswer:
    """An answer that is sent beside the work that makes it."""

    def __init__(
        self, send: Send, status: HTTPStatus, headers: dict[str, str], max_unsent: int
    ) -> None:
        """``max_unsent``: bytes that may be unsent before `stream` waits."""
        self._send, self._status, self._max_unsent = send, status, max_unsent
        self._headers = {"content-type": NDJSON, **headers}
        self._unsent: deque[bytes] = deque()
        self.unsent_bytes = 0
        self._sender: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._is_ended = False
        self.is_abandoned = False
        """Whether the client does not take it; then nothing more is sent."""

    def add(self, text: bytes) -> None:
        """Add lines, which are sent once `stream` or `end` is awaited."""
        self._unsent.append(text)
        self.unsent_bytes += len(text)

    @property
    def is_full(self) -> bool:
        """Whether more is unsent than may be kept."""
        return self.unsent_bytes > self._max_unsent

    async def stream(self) -> None:
        """Send what was added, in the background; waits only while the answer is full."""
        await self._send_until(lambda: not self.is_full)

    async def drain(self) -> None:
        """Wait until all that was added is sent."""
        await self._send_until(lambda: not self.unsent_bytes)

    async def end(self) -> int:
        """Send the rest, and wait until the client has taken it; returns the status."""
        if self._sender is None:
            whole = Response(b"".join(self._unsent), self._status, self._headers)
            await send_response(whole, self._send)
            return int(self._status)
        async with self._changed:
            self._is_ended = True
            self._changed.notify_all()
        await self._sender
        return int(self._status)

    def close(self) -> None:
        """Stop sending; without this, the sender of an answer that was not ended waits for ever."""
        if self._sender is not None:
            self._sender.cancel()

    async def _send_until(self, is_enough: Callable[[], bool]) -> None:
        if self._sender is None:
            self._sender = asyncio.create_task(self._run())
        async with self._changed:
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self.is_abandoned or is_enough())

    async def _run(self) -> None:
        try:
            start: HTTPResponseStartEvent = {
                "type": "http.response.start",
                "status": int(self._status),
                "headers": [
                    (name.encode(), value.encode()) for name, value in self._headers.items()
                ],
            }
            await self._send_in_time(start)
            while await self._send_next():
                pass
        except Exception as error:  # noqa: BLE001 - predictions that were accepted stay accepted
            log.info("sending an answer was abandoned: %r", error)
            async with self._changed:
                self.is_abandoned = True
                self._changed.notify_all()

    async def _send_next(self) -> bool:
        """Send the next lines; returns whether more may follow."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._unsent or self._is_ended)
        piece = self._unsent.popleft() if self._unsent else b""
        is_last = self._is_ended and not self._unsent
        await self._send_in_time(
            {"type": "http.response.body", "body": piece, "more_body": not is_last}
        )
        async with self._changed:
            self.unsent_bytes -= len(piece)
            self._changed.notify_all()
        return not is_last

    async def _send_in_time(self, event: HTTPResponseStartEvent | HTTPResponseBodyEvent) -> None:
        async with asyncio.timeout(SEND_TIMEOUT):
            await self._send(event)
