"""An HTTP client with many keep-alive connections in one loop, at about 20 µs per exchange."""

import re
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

ANSWER_TIMEOUT = 30.0
"""Seconds without any answer after which the measurement has failed."""
_length = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_chunked = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class LoadFailed(Exception):
    """An answer was wrong, so the measurement is void."""


class Response(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes


Then = Callable[[Response], None]
"""Callback for a response."""


def post(path: str, body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    """The bytes of a POST request; ``headers`` are additional header lines."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}"]
    lines += [f"Content-Length: {len(body)}", *filter(None, headers)]
    return "\r\n".join([*lines, "\r\n"]).encode() + body


def get(path: str, *headers: str) -> bytes:
    """The bytes of a GET request; ``headers`` are additional header lines."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *filter(None, headers)]
    return "\r\n".join([*lines, "\r\n"]).encode()


class Wire:
    """A bounded number of connections to one port; further requests queue."""

    def __init__(self, port: int, connections: int) -> None:
        self._port, self._bound = port, connections
        self._poll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._free: list[Connection] = []
        self._line: deque[tuple[bytes, Then]] = deque()
        self._heard = time.monotonic()

    @property
    def busy(self) -> bool:
        """Whether a response is outstanding."""
        return len(self._free) < len(self._open)

    def send(self, request: bytes, then: Then) -> None:
        """Send as soon as a connection is free."""
        if not self.busy:
            self._heard = time.monotonic()
        if not self._free and len(self._open) == self._bound:
            self._line.append((request, then))
            return
        (self._free.pop() if self._free else self._connect()).send(request, then)

    def turn(self, within: float = ANSWER_TIMEOUT) -> None:
        """Process what has arrived; waits for it at most ``within`` seconds."""
        # select, because epoll rounds timeouts up to whole milliseconds.
        select.select([self._poll], [], [], max(within, 0.0))
        for descriptor, _ in self._poll.poll(0):
            self._hear(self._open[descriptor])
        if self.busy and time.monotonic() - self._heard > ANSWER_TIMEOUT:
            raise LoadFailed(f"no answer for {ANSWER_TIMEOUT:.0f} s")

    def close(self) -> None:
        """Close all connections."""
        for connection in self._open.values():
            connection.socket.close()
        self._poll.close()

    def _connect(self) -> "Connection":
        try:
            connection = Connection(self._port)
        except OSError as error:
            raise LoadFailed(f"no connection to port {self._port}: {error}") from error
        self._open[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.EPOLLIN)
        return connection

    def _hear(self, connection: "Connection") -> None:
        try:
            response = connection.read()
        except OSError as error:
            self._lose(connection, error)
            return
        if response is None:
            return
        self._heard, then = time.monotonic(), connection.then
        self._free.append(connection)
        connection.then = None
        if self._line:
            self.send(*self._line.popleft())
        if then:
            then(response)

    def _lose(self, connection: "Connection", error: OSError) -> None:
        """Drop a closed connection; the server may close idle ones only."""
        if connection.then:
            raise LoadFailed(f"a request lost its connection: {error}") from error
        self._free.remove(connection)
        del self._open[connection.socket.fileno()]
        connection.socket.close()


class Connection:
    """One connection, and the callback for its outstanding response."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), ANSWER_TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.then: Then | None = None
        self.since = 0.0
        """When its last request was sent."""
        self._received = b""

    def send(self, request: bytes, then: Then) -> None:
        self.then, self.since = then, time.monotonic()
        self.socket.sendall(request)

    def read(self) -> Response | None:
        """Read what arrived; returns a complete response or None. `ConnectionError` at EOF."""
        received = self.socket.recv(1 << 20)
        if not received:
            raise ConnectionError("closed by the server")
        self._received += received
        return self._take()

    def _take(self) -> Response | None:
        text = self._received
        end = text.find(b"\r\n\r\n")
        if end < 0:
            return None
        body = _complete(text[:end], text[end + 4 :])
        if body is None:
            return None
        self._received = b""
        return Response(int(text[9:12]), body)


def _complete(head: bytes, received: bytes) -> bytes | None:
    """The body of an answer; None until all of it was received."""
    if length := _length.search(head):
        return received if len(received) >= int(length[1]) else None
    if _chunked.search(head):
        return _joined(received)
    raise LoadFailed(f"an answer without a length: {head[:100]!r}")


def _joined(chunks: bytes) -> bytes | None:
    """The content of a chunked body; None until all of it was received."""
    if not (b"\r\n" + chunks).endswith(b"\r\n0\r\n\r\n"):  # which a chunk may hold, too
        return None
    content, at = b"", 0
    while (end := chunks.find(b"\r\n", at)) >= 0:
        size = int(chunks[at:end], 16)
        if not size:
            return content
        content += chunks[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return None
