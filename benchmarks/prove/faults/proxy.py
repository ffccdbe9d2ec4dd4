"""A TCP proxy in front of Redis that can cut, delay, refuse and half-close connections."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

_RESET = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Link:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client, self.server = client, server
        self.deaf = False
        """Whether data to the client is dropped, while data to the server still passes."""


class Proxy:
    """Forwards bytes between a port and a socket in its own thread; a context manager."""

    def __init__(self, port: int, target: Path) -> None:
        self.port, self._target = port, target
        self.delay = 0.0
        """Seconds by which each piece is delayed, in both directions."""
        self.refusing = False
        """Whether new connections are closed at once."""
        self._links: set[_Link] = set()
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def cut(self) -> None:
        """Reset all connections."""
        self._each(_abort)

    def half_close(self) -> None:
        """Close the direction to the clients; what they send still arrives."""
        self._each(_half_close)

    def heal(self) -> None:
        """Forward everything again, and close half-closed connections."""
        self.delay, self.refusing = 0.0, False
        self._each(_end_deaf)

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self._ready.set()
        await self._over.wait()

    def _each(self, harm: Callable[[_Link], None]) -> None:
        def harm_all() -> None:
            for link in tuple(self._links):
                harm(link)

        self._loop.call_soon_threadsafe(harm_all)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.refusing:
                raise ConnectionRefusedError
            answers, server = await asyncio.open_unix_connection(self._target)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, server)
        self._links.add(link)
        there = asyncio.ensure_future(self._pass_on(reader, server))
        back = asyncio.ensure_future(self._pass_on(answers, writer, link))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._links.discard(link)
            _abort(link)
            there.cancel()
            back.cancel()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        link: _Link | None = None,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if not (link and link.deaf):
                    writer.write(data)
                    await writer.drain()


def _abort(link: _Link) -> None:
    for writer in (link.client, link.server):
        with suppress(OSError):  # a reset instead of an orderly close
            writer.get_extra_info("socket").setsockopt(*_RESET)
        writer.transport.abort()


def _end_deaf(link: _Link) -> None:
    if link.deaf:
        _abort(link)


def _half_close(link: _Link) -> None:
    link.deaf = True
    with suppress(OSError, RuntimeError):
        link.client.write_eof()
