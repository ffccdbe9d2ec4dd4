"""Closes idle connections of the address that has most, before a process can hold no more.

Otherwise one caller could keep all connections, and each new caller would wait for 15 s, until the
server closes an idle one. Behind a proxy all connections have its address; it opens new ones.
"""

import logging
import os
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
from a2wsgi.asgi_typing import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)
IDLE_LOOK_SECONDS = 0.25
"""Seconds between two looks at the number of connections."""
CLOSED_SHARE = 4
"""A quarter of the connections of an address is closed at a time."""
MIN_SILENCE_MS = 500
"""Milliseconds for which a connection must have been silent. One with a request that came just now
is not busy yet, and of one that was answered just now the answer may not be on its way yet."""
_TCP_INFO_BYTES, _LAST_DATA_SENT, _LAST_DATA_RECEIVED = 104, 44, 52
"""Length of Linux's `struct tcp_info`, and where it has milliseconds since data went and came."""
Peer = tuple[str, int]


class IdleConnections:
    """ASGI middleware that notes which connections have a request in progress."""

    def __init__(self, app: ASGIApp, port: int, capacity: int) -> None:
        """``port``: that of the server. ``capacity``: how many connections a process may hold."""
        self._app, self._port, self._capacity = app, port, capacity
        self._busy: set[Peer] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        client: Any = scope.get("client") or ("", 0)
        peer = client[0], int(client[1])  # granian gives the port as text
        self._busy.add(peer)
        try:
            await self._app(scope, receive, send)
        finally:
            self._busy.discard(peer)

    def watch(self) -> None:
        """Look at the connections from now on, in a thread."""
        threading.Thread(target=self._run, name="idle connections", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(IDLE_LOOK_SECONDS)
            # Other descriptors count as well, so this is true somewhat early.
            with suppress(OSError, psutil.Error):  # no file descriptor is left for this look
                if len(os.listdir("/proc/self/fd")) >= self._capacity:
                    close_idle(self._port, self._busy)


def close_idle(port: int, busy: Collection[Peer]) -> int:
    """Close those idle connections of the address with most that were silent for longest.

    ``busy``: the peers that have a request in progress; it may change meanwhile. Returns how many
    were closed.
    """
    by_address: dict[str, list[tuple[int, Peer]]] = defaultdict(list)
    for each in psutil.Process().net_connections("tcp"):
        if each.laddr.port == port and each.raddr:
            by_address[each.raddr.ip].append((each.fd, tuple(each.raddr)))
    address, theirs = max(by_address.items(), key=lambda item: len(item[1]), default=("", []))
    silent = [(silence(*each), each) for each in theirs if each[1] not in busy]
    longest = sorted((each for each in silent if each[0] >= MIN_SILENCE_MS), reverse=True)
    chosen = longest[: -(-len(theirs) // CLOSED_SHARE)]
    closed = sum(_is_shut(*each, busy) for _, each in chosen)
    if closed:
        log.warning(
            "connections are used up: closed %s idle ones of the %s of %s",
            closed,
            len(theirs),
            address,
        )
    return closed


def _is_shut(descriptor: int, peer: Peer, busy: Collection[Peer]) -> bool:
    """Shut a connection down; returns whether it existed, and was idle until the end."""
    with suppress(OSError), _shared(descriptor, peer) as connection:
        if peer not in busy:
            # Not closed: the server owns the descriptor, and closes it when it reads the end.
            connection.shutdown(socket.SHUT_RDWR)
            return True
    return False


def silence(descriptor: int, peer: Peer) -> int:
    """Milliseconds since data came or went; 0 if the connection has ended meanwhile."""
    with suppress(OSError), _shared(descriptor, peer) as connection:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        offsets = _LAST_DATA_SENT, _LAST_DATA_RECEIVED
        return min(int(struct.unpack_from("I", told, offset)[0]) for offset in offsets)
    return 0


@contextmanager
def _shared(descriptor: int, peer: Peer) -> Iterator[socket.socket]:
    """A connection by a descriptor of our own; raises `OSError` if it has ended.

    Its descriptor may be another's by now, such as that of a new request or of Redis.
    """
    # With its family, which Python would otherwise ask for, and leave the copy open on an error.
    with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as connection:
        if connection.getpeername()[:2] != peer:
            raise ConnectionError
        yield connection
