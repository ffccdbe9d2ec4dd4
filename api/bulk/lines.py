"""Cuts the body of a bulk request into windows of lines while it arrives."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import NamedTuple

from a2wsgi.asgi_typing import Receive

from api.asgi.bodies import INCOMPLETE_BODY
from api.asgi.body_deadline import BodyDeadline
from api.bulk.gateway import WINDOW_LINES
from telemetry.errors import Malformed, PredictqError, TooLarge

MAX_LINES = 10_000
"""Most predictions in one request."""
MAX_LINES_WITH_EMPTY = 2 * MAX_LINES
"""Most lines if the empty ones are counted, which take time as well."""
MAX_LINE_BYTES = 2**20
"""Longest line in bytes. A larger prediction is submitted in a request of its own."""
MAX_WINDOW_BYTES = 2**20
"""Bytes of lines after which a window is closed, so that one of long lines takes little memory."""

MAX_DISCARD_SECONDS = 5.0
"""Seconds for which the rest of a body is read after an early end."""


class NumberedLine(NamedTuple):
    """One prediction of a bulk request."""

    number: int
    """Number of the line, from 1, as editors count; empty lines count, too."""
    text: bytes | None
    """JSON; None if the line was too long to be kept."""


class BodyLines:
    """The lines of a body, of which only those are in memory that were not taken yet."""

    def __init__(self, receive: Receive, bound: int, *, is_announced: bool) -> None:
        """``bound``: the longest body in bytes.

        ``is_announced``: its length is known, so the sender has all of it, and windows can be
        filled. The lines of other bodies are handed on as they come.
        """
        self._receive, self._left, self._fills = receive, bound, is_announced
        self._deadline = BodyDeadline()
        self._ready: deque[NumberedLine] = deque()
        self._ready_bytes = 0
        self._rest, self._rest_size, self._number = bytearray(), 0, 0
        self._more = self._arrives = True
        self._error: PredictqError | None = None

    @property
    def are_over(self) -> bool:
        """Whether every line was handed on."""
        return not (self._more or self._ready or self._error)

    async def windows(self) -> AsyncIterator[list[NumberedLine]]:
        """Yield windows of at most `WINDOW_LINES` lines; empty lines are left out.

        Raises `TooLarge` at the bounds, and `Malformed` if the body stops before its end; lines
        that were not handed on by then are not handed on any more.
        """
        while self._more:
            await self._hear()
            while self._is_due():
                yield self._window()
        if self._error:
            raise self._error

    async def discard(self) -> None:
        """Read the rest of an announced body, up to `MAX_DISCARD_SECONDS`.

        Otherwise the connection is reset, and a client that still sends may lose its answer.
        """
        with suppress(PredictqError, TimeoutError):
            async with asyncio.timeout(MAX_DISCARD_SECONDS):
                while self._fills and self._arrives:
                    await self._piece()

    async def _hear(self) -> None:
        piece = await self._piece()
        self._more = self._arrives
        self._left -= len(piece)
        if self._left < 0:
            self._stop(TooLarge("the body is too long; send the rest in another request"))
            return
        *ended, rest = piece.split(b"\n")
        for text in ended:
            self._extend(text)
            self._end_line()
            if self._error:
                return
        self._extend(rest)
        if not self._more and self._rest_size:
            self._end_line()

    async def _piece(self) -> bytes:
        try:
            event = await self._deadline.receive(self._receive)
        except TimeoutError:
            raise Malformed(INCOMPLETE_BODY) from None
        if event["type"] != "http.request":
            raise Malformed(INCOMPLETE_BODY)
        self._arrives = event.get("more_body", False)
        piece: bytes = event["body"]
        return piece

    def _is_due(self) -> bool:
        is_full = len(self._ready) >= WINDOW_LINES or self._ready_bytes >= MAX_WINDOW_BYTES
        return bool(self._ready) and (is_full or not self._fills or not self._more)

    def _window(self) -> list[NumberedLine]:
        window = _take_window(self._ready)
        self._ready_bytes -= sum(map(_size, window))
        return window

    def _extend(self, text: bytes) -> None:
        self._rest_size += len(text)
        if self._rest_size <= MAX_LINE_BYTES:
            self._rest += text
        else:
            self._rest.clear()

    def _end_line(self) -> None:
        text = bytes(self._rest) if self._rest_size <= MAX_LINE_BYTES else None
        self._rest.clear()
        self._rest_size, self._number = 0, self._number + 1
        is_empty = text is not None and not text.strip()
        if is_empty and self._number <= MAX_LINES_WITH_EMPTY:
            return
        if self._number > MAX_LINES:
            self._stop(TooLarge(f"a request may have at most {MAX_LINES} lines"))
            return
        self._ready.append(NumberedLine(self._number, text))
        self._ready_bytes += _size(self._ready[-1])

    def _stop(self, error: PredictqError) -> None:
        self._error, self._more = self._error or error, False


class ListedLines:
    """The requests of a JSON document as lines, numbered from 1."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests, self._handed = requests, 0

    @property
    def are_over(self) -> bool:
        """Whether every line was handed on."""
        return self._handed == len(self._requests)

    async def windows(self) -> AsyncIterator[list[NumberedLine]]:
        """Yield windows of at most `WINDOW_LINES` lines; raises `TooLarge` after `MAX_LINES`."""
        left = deque(_listed(*each) for each in enumerate(self._requests[:MAX_LINES], 1))
        while left:
            window = _take_window(left)
            self._handed += len(window)
            yield window
        if len(self._requests) > MAX_LINES:
            raise TooLarge(f"a request may have at most {MAX_LINES} predictions")


def _listed(number: int, text: bytes) -> NumberedLine:
    return NumberedLine(number, text if len(text) <= MAX_LINE_BYTES else None)


def _take_window(ready: deque[NumberedLine]) -> list[NumberedLine]:
    """Take as many of the lines as a window may have; at least one."""
    window = [ready.popleft()]
    size = _size(window[0])
    while ready and len(window) < WINDOW_LINES:
        size += _size(ready[0])
        if size > MAX_WINDOW_BYTES:
            break
        window.append(ready.popleft())
    return window


def _size(line: NumberedLine) -> int:
    return len(line.text or b"")
