"""Callers that wait for predictions, thousands at a time, each over a connection of its own."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from tests.support.stack import TEST_TIMEOUT, Json

AT_ONCE = 64
"""Connections that are made at a time: more would overflow the server's backlog."""
_length = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Answer(NamedTuple):
    """What a caller was told."""

    status: int
    head: bytes
    body: Json


class WaitingCallers:
    """Requests that are sent, and whose answers are read once they are asked for."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._opening = asyncio.Semaphore(AT_ONCE)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    def send(self, requests: Sequence[bytes]) -> None:
        """Send each request over a connection of its own, and read no answer."""
        self._run(self._send_all(requests))

    def leave(self) -> None:
        """Close all connections without reading."""
        self._run(self._close_all())

    def answers(self, within: float = TEST_TIMEOUT) -> list[Answer]:
        """The answers to all requests, in order."""
        return self._run(self._read_all(within))

    def end(self) -> None:
        self.leave()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _send_all(self, requests: Sequence[bytes]) -> None:
        self._open += await asyncio.gather(*map(self._send, requests))

    async def _send(self, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with self._opening:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(request)
            await writer.drain()
        return reader, writer

    async def _close_all(self) -> None:
        opened, self._open = self._open, []
        for _, writer in opened:
            writer.close()

    async def _read_all(self, within: float) -> list[Answer]:
        async with asyncio.timeout(within):
            return await asyncio.gather(*(_answer(reader) for reader, _ in self._open))


@contextmanager
def waiting_callers(port: int) -> Iterator[WaitingCallers]:
    callers = WaitingCallers(port)
    try:
        yield callers
    finally:
        callers.end()


def post(path: str, body: Json, **headers: str) -> bytes:
    """The bytes of a request."""
    content = json.dumps(body).encode()
    named = {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}
    return _head("POST", path, named) + content


def get(path: str, **headers: str) -> bytes:
    """The bytes of a request."""
    return _head("GET", path, headers)


def _head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    found = _length.search(head)
    assert found, head
    body = await reader.readexactly(int(found[1]))
    return Answer(int(head[9:12]), head.lower(), json.loads(body))
