"""The socket that the API's processes share."""

import errno
import resource
import socket
import time
from pathlib import Path

import pytest
from granian.constants import HTTPModes

from api.server import MAX_CONNECTIONS, RESERVED_DESCRIPTORS, Server, connection_capacity, main


def test_small_answers_are_sent_at_once() -> None:
    server = Server("127.0.0.1", 0, 1)
    server._init_shared_socket()
    with server._sso as shared:
        client = socket.create_connection(shared.getsockname())
        accepted, _ = shared.accept()
        with client, accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_server_waits_for_the_port_of_a_killed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as former:
        port = former.getsockname()[1]
        monkeypatch.setattr(time, "sleep", lambda _: former.close())
        server = Server("127.0.0.1", port, 1)
        server._init_shared_socket()
    with server._sso as shared:
        assert shared.getsockname()[1] == port


def test_port_that_stays_taken_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.server.PORT_TIMEOUT", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        server = Server("127.0.0.1", other.getsockname()[1], 1)
        with pytest.raises(OSError, match="in use"):
            server._init_shared_socket()


def test_unread_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.server.MAX_UNREAD_MS", 500)
    server = Server("127.0.0.1", 0, 1)
    server._init_shared_socket()
    with server._sso as shared, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(shared.getsockname())
        accepted, _ = shared.accept()
        with accepted:
            accepted.settimeout(20)
            with pytest.raises(TimeoutError) as ended:
                accepted.sendall(bytes(2**24))
            assert ended.value.errno == errno.ETIMEDOUT  # the system's, and not that of the test


def test_http_2_is_off_and_idle_connections_are_closed() -> None:
    server = Server("127.0.0.1", 0, 1)
    assert server.http == HTTPModes.http1
    assert server.http1_settings.header_read_timeout <= 15_000


@pytest.mark.parametrize(
    ("soft", "hard", "capacity", "then"),
    [
        (1024, 20_000, MAX_CONNECTIONS, MAX_CONNECTIONS + RESERVED_DESCRIPTORS),
        (20_000, 20_000, MAX_CONNECTIONS, None),
        (1024, resource.RLIM_INFINITY, MAX_CONNECTIONS, MAX_CONNECTIONS + RESERVED_DESCRIPTORS),
        (256, 1024, 512, 1024),
        (100, 100, 50, None),
    ],
)
def test_descriptor_limit_leaves_some_beside_connections(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, capacity: int, then: int | None
) -> None:
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.append(new))
    assert connection_capacity() == capacity
    assert limits == ([(then, hard)] if then else [])


def test_server_beyond_loopback_says_how_to_ask_for_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PREDICTQ_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["api.server", "--host", "0.0.0.0"])
    with pytest.raises(SystemExit):
        main()
    assert "PREDICTQ_REQUIRE_KEYS=1" in capsys.readouterr().err
