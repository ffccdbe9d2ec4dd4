"""The fork server as the worker sees it: what it said before its end is heard."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from workers.pool.fork_server_client import ForkServerClient
from workers.pool.protocol import Loading, datagram, parse

Pair = tuple[ForkServerClient, socket.socket]


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """A forker, and the end of its connection that a process would have."""
    ends: list[int] = []

    def start(*_: Any, pass_fds: list[int], **__: Any) -> None:
        ends.append(os.dup(pass_fds[0]))

    monkeypatch.setattr("workers.pool.fork_server_client.subprocess.Popen", start)
    forker = ForkServerClient("predict")
    with socket.socket(fileno=ends[0]) as theirs, forker._control:
        yield forker, theirs


def test_the_last_words_of_one_that_died_with_commands_unread_are_heard(pair: Pair) -> None:
    forker, theirs = pair
    theirs.send(datagram(Loading("deadly:1")))
    forker.load("next:1")
    theirs.close()
    assert forker.hear() == Loading("deadly:1")
    assert forker.at_work_on == "deadly:1"
    assert forker.hear() is None


def test_what_it_could_not_be_told_while_it_loaded_is_told_later(pair: Pair) -> None:
    forker, theirs = pair
    theirs.setblocking(False)
    wanted = {f"m:{number}" for number in range(1000)}

    def ask() -> list[str]:
        for reference in sorted(wanted):
            forker.load(reference)
        with suppress(BlockingIOError):
            while True:
                told.append(parse(theirs.recv(2**16)).reference)
        return told

    told: list[str] = []
    assert len(ask()) < len(wanted), "no more can lie there unread"
    while set(told) != wanted:
        before = len(told)
        assert len(ask()) > before
    assert len(told) == len(wanted), "each was asked for once"
