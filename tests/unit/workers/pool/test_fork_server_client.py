"""The worker reads what its fork server sent before it died."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from workers.pool.fork_server_client import ForkServerClient
from workers.protocol import Loading, datagram, parse_frame

Pair = tuple[ForkServerClient, socket.socket]


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """A client, and the fork server's end of its socket."""
    ends: list[int] = []

    def start(*_: Any, pass_fds: list[int], **__: Any) -> None:
        ends.append(os.dup(pass_fds[0]))

    monkeypatch.setattr("workers.pool.fork_server_client.subprocess.Popen", start)
    client = ForkServerClient("predict")
    with socket.socket(fileno=ends[0]) as theirs, client._control:
        yield client, theirs


def test_frames_sent_before_a_death_with_unread_commands_are_read(pair: Pair) -> None:
    client, theirs = pair
    theirs.send(datagram(Loading("deadly:1")))
    client.load("next:1")
    theirs.close()
    assert client.hear() == Loading("deadly:1")
    assert client.loading == "deadly:1"
    assert client.hear() is None


def test_fork_servers_that_hang_are_killed_after_their_grace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hanging = [sys.executable, "-c", "import time; time.sleep(600)"]
    monkeypatch.setattr("workers.pool.fork_server_client._program", lambda _: hanging)
    client = ForkServerClient("predict")
    client.close(grace=0.0)
    assert client._process.returncode == -signal.SIGKILL


def test_load_requests_to_a_busy_fork_server_are_sent_later(pair: Pair) -> None:
    client, theirs = pair
    theirs.setblocking(False)
    wanted = {f"m:{number}" for number in range(1000)}

    def ask() -> list[str]:
        for reference in sorted(wanted):
            client.load(reference)
        with suppress(BlockingIOError):
            while True:
                told.append(parse_frame(theirs.recv(2**16)).reference)
        return told

    told: list[str] = []
    assert len(ask()) < len(wanted), "the socket buffer is full"
    while set(told) != wanted:
        before = len(told)
        assert len(ask()) > before
    assert len(told) == len(wanted), "each was asked for once"
