"""A process of the pool as the worker sees it: given a batch that is larger than any buffer."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from threading import Thread

import pytest

from tests.support.stack import until
from workers.pool.pool_process import PoolProcess
from workers.pool.protocol import Done, Fate, Item, Microbatch, Ready, receive, send

LARGE = Microbatch([Item("predict:1", "a", "application/json", b"x" * 2**23, None, "compute", 300)])
AT_ONCE = 5.0
"""Seconds in which nothing waits that does not wait for a process."""


@pytest.fixture
def ours() -> Iterator[subprocess.Popen[bytes]]:
    """A process that reads nothing."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def born(process: subprocess.Popen[bytes]) -> tuple[PoolProcess, socket.socket]:
    """The member, and the end of the connection that the process would read."""
    connection, theirs = socket.socketpair()
    member = PoolProcess(connection, 0)
    send(theirs, Ready(process.pid, ["m:1"]))
    assert member.hear()
    return member, theirs


def test_the_worker_does_not_wait_until_a_large_batch_is_read(
    ours: subprocess.Popen[bytes],
) -> None:
    member, theirs = born(ours)
    ends: list[Done | None] = []
    with theirs:
        began = time.monotonic()
        member.take(LARGE, ends.append)
        assert time.monotonic() - began < AT_ONCE
        assert receive(theirs) == LARGE
        send(theirs, Done([Fate("succeeded")], 0.1))
        assert member.hear()
    assert ends == [Done([Fate("succeeded")], 0.1)]
    member.hang_up()


def test_one_that_reads_nothing_is_ended(
    ours: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.pool.pool_process.STALL", 0.2)
    member, theirs = born(ours)
    with theirs:
        Thread(target=member.take, args=(LARGE, print), daemon=True).start()
        until(lambda: ours.poll() is not None, "its end")
    member.hang_up()
