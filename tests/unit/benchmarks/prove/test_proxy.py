"""The proxy forwards data, and injects faults as told."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness.processes import free_port
from benchmarks.prove.faults.proxy import Proxy
from tests.support.stack import until


class Echo:
    """An echo server that records what it receives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self.heard = b""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(1024):
                self.heard += data
                connection.sendall(data)
        except OSError:
            pass

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Echo]:
    server = Echo(tmp_path / "echo.sock")
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(free_port(), echo.path) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as client:
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
        yield client


def test_proxy_cut_ends_existing_connections_only(client: socket.socket, proxy: Proxy) -> None:
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as another:
        another.sendall(b"more")
        assert another.recv(4) == b"more"


def test_proxy_delay_holds_back_both_directions(client: socket.socket, proxy: Proxy) -> None:
    proxy.delay = 0.1
    started = time.monotonic()
    client.sendall(b"slow")
    assert client.recv(4) == b"slow"
    assert time.monotonic() - started >= 0.2
    proxy.heal()
    assert proxy.delay == 0


def test_half_closed_the_server_hears_and_is_not_heard(
    client: socket.socket, proxy: Proxy, echo: Echo
) -> None:
    proxy.half_close()
    assert client.recv(1) == b""
    client.sendall(b"anybody?")
    until(lambda: echo.heard == b"helloanybody?", "heard")
    proxy.heal()
    until(lambda: is_dead(client), "the end")


def is_dead(client: socket.socket) -> bool:
    try:
        client.sendall(b"x")
        client.recv(1)
    except ConnectionError:
        return True
    return False


def test_refused_connection_is_accepted_after_healing(client: socket.socket, proxy: Proxy) -> None:
    proxy.refusing = True
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as refused:
        until(lambda: is_dead(refused), "refused")
    proxy.heal()
    client.sendall(b"still")
    assert client.recv(5) == b"still"
