"""The API closes connections that send no request; a server of its own waits only a moment."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from api.server import KEEP_ALIVE_MS
from benchmarks.harness.processes import free_port
from stack.process import Process, Program
from tests.support.stack import START_TIMEOUT, until

SHORT_MS = 500
"""Milliseconds in place of `api.server.KEEP_ALIVE_MS`."""
FEW = 200
"""Connections in place of `api.server.MAX_CONNECTIONS`."""
PROGRAM = """
import sys
from api import server
if __name__ == "__main__":
    server.{setting}
    server.RESERVED_DESCRIPTORS = 0
    server.Server("127.0.0.1", {port}, 1).run()
"""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of an API without Redis, where connections may be idle for a moment."""
    yield from _port_of_api(tmp_path, f"KEEP_ALIVE_MS = {SHORT_MS}")


@pytest.fixture
def few(tmp_path: Path) -> Iterator[int]:
    """The port of an API without Redis that holds few connections."""
    yield from _port_of_api(tmp_path, f"MAX_CONNECTIONS = {FEW}")


def _port_of_api(tmp_path: Path, setting: str) -> Iterator[int]:
    port = free_port()
    script = PROGRAM.format(setting=setting, port=port)
    environment = {"PREDICTQ_HOME": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1/0"}
    command = sys.executable, "-c", script
    process = Process(Program("api", command, environment), tmp_path / "api.log")
    try:
        until(lambda: serves(port), "API ready", START_TIMEOUT)
        yield port
    finally:
        process.kill()


def serves(port: int) -> bool:
    try:
        connected(port).close()
    except OSError:
        return False
    return True


def connected(port: int) -> socket.socket:
    """A connection that must be closed sooner than with the setting of the API."""
    return socket.create_connection(("127.0.0.1", port), timeout=KEEP_ALIVE_MS / 1000)


def test_idle_connection_is_closed(port: int) -> None:
    with connected(port) as silent, connected(port) as half:
        half.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
        assert silent.recv(1) == b""
        assert b"HTTP/1.1 2" not in b"".join(iter(lambda: half.recv(4096), b""))


def test_idle_connection_is_closed_after_a_request(port: int) -> None:
    with connected(port) as kept:
        kept.sendall(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b"".join(iter(lambda: kept.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 404 ")


def greedy(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 5, ("127.0.0.2", 0))


def test_caller_with_all_connections_makes_no_other_one_wait(few: int) -> None:
    """They would be held until the server closes them, and new ones wait for that."""
    with ExitStack() as held:
        busy = held.enter_context(greedy(few))
        busy.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
        idle = [held.enter_context(greedy(few)) for _ in range(2 * FEW)]
        with connected(few) as another:
            another.sendall(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert another.recv(100).startswith(b"HTTP/1.1 404 ")
        assert idle[0].recv(1) == b"", "it was silent for longest but one"
        busy.setblocking(False)
        with pytest.raises(BlockingIOError):  # a request is in progress
            busy.recv(1)
