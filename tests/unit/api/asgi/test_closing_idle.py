"""Of the address that has most connections, those that were silent for longest are closed."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from api.asgi import idle_connections
from api.asgi.idle_connections import MIN_SILENCE_MS, IdleConnections, close_idle, silence
from tests.support.stack import until


class Door:
    """A listening socket, and connections to it from addresses of this machine."""

    def __init__(self, held: ExitStack) -> None:
        self._held = held
        self._listening = held.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.accepted: list[socket.socket] = []
        self.address = self._listening.getsockname()

    def connect(self, source: str) -> socket.socket:
        client = socket.create_connection(self.address, 5, source_address=(source, 0))
        self.accepted.append(self._held.enter_context(self._listening.accept()[0]))
        return self._held.enter_context(client)

    def close_idle(self, *busy: socket.socket) -> int:
        return close_idle(self.address[1], {client.getsockname() for client in busy})


@pytest.fixture
def door() -> Iterator[Door]:
    with ExitStack() as held:
        yield Door(held)


def silence_of(accepted: socket.socket) -> int:
    return silence(accepted.fileno(), accepted.getpeername())


def is_closed(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False


def test_longest_silent_connections_of_the_greediest_address_are_closed(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle_connections, "MIN_SILENCE_MS", 0)
    others = [door.connect("127.0.0.3") for _ in range(3)]
    old = [door.connect("127.0.0.2") for _ in range(3)]
    until(lambda: silence_of(door.accepted[-1]) > 50, "they were silent for a while")
    many = [*old, *(door.connect("127.0.0.2") for _ in range(5))]
    busy = old.pop()
    assert door.close_idle(busy) == 2, "a quarter"
    assert [client for client in many if is_closed(client)] == old
    assert not any(is_closed(client) for client in others)


def test_connection_that_was_asked_or_answered_just_now_is_not_closed(door: Door) -> None:
    asking, answered, idle = (door.connect("127.0.0.2") for _ in range(3))
    until(lambda: silence_of(door.accepted[0]) > MIN_SILENCE_MS, "all are silent")
    asking.send(b"GET / HTTP/1.1")
    door.accepted[1].send(b"HTTP/1.1 200")
    until(lambda: silence_of(door.accepted[0]) < MIN_SILENCE_MS, "the request has come")
    door.close_idle()
    door.close_idle()
    assert is_closed(idle)
    assert not is_closed(asking)
    assert answered.recv(100) == b"HTTP/1.1 200"
    assert not is_closed(answered)


def test_descriptor_that_is_another_connection_by_now_is_left_alone(door: Door) -> None:
    gone, other = door.connect("127.0.0.2"), door.connect("127.0.0.2")
    descriptor, peer = door.accepted[1].fileno(), gone.getsockname()
    assert silence(descriptor, peer) == 0
    assert not idle_connections._is_shut(descriptor, peer, ())
    assert not is_closed(other)
    door.accepted[0].close()
    assert silence(1_000_000, peer) == 0, "it has ended"


def test_connections_with_requests_in_progress_are_never_closed(door: Door) -> None:
    many = [door.connect("127.0.0.2") for _ in range(3)]
    assert door.close_idle(*many) == 0
    assert close_idle(1, ()) == 0, "nothing listens there"


def test_connection_is_busy_while_its_request_is_served() -> None:
    seen: list[set[Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(connections._busy.copy())
        raise RuntimeError

    connections = IdleConnections(app, 1, 1)
    client = ("127.0.0.2", "1234")  # as granian has it
    with pytest.raises(RuntimeError):
        asyncio.run(connections({"type": "http", "client": client}, None, None))
    assert (seen, connections._busy) == ([{("127.0.0.2", 1234)}], set())
