"""A pool process that gets a microbatch larger than any socket buffer."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from threading import Thread

import pytest

from tests.support.stack import until
from workers.pool.pool_process import PoolProcess
from workers.protocol import (
    Disposition,
    Done,
    Instruction,
    Item,
    LoadCost,
    Microbatch,
    Ready,
    receive,
    send_frame,
)

LARGE = Microbatch(
    [Item("predict:1", "a", "application/json", b"x" * 2**23, None, Instruction.COMPUTE, 300.0)]
)
AT_ONCE = 5.0
"""Seconds within which a call returns that does not wait for the process."""


@pytest.fixture
def ours() -> Iterator[subprocess.Popen[bytes]]:
    """A process that reads nothing."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def started(process: subprocess.Popen[bytes]) -> tuple[PoolProcess, socket.socket]:
    """A ready pool process, and the end of its connection that it would read."""
    connection, theirs = socket.socketpair()
    pool_process = PoolProcess(connection, 0)
    send_frame(theirs, Ready(process.pid, {"m:1": LoadCost(1, 0.1)}))
    assert pool_process.hear()
    return pool_process, theirs


def test_large_microbatch_is_sent_without_blocking(
    ours: subprocess.Popen[bytes],
) -> None:
    pool_process, theirs = started(ours)
    ends: list[Done | None] = []
    with theirs:
        began = time.monotonic()
        pool_process.take(LARGE, ends.append)
        assert time.monotonic() - began < AT_ONCE
        assert receive(theirs) == LARGE
        send_frame(theirs, Done([Disposition("succeeded")], 0.1))
        assert pool_process.hear()
    assert ends == [Done([Disposition("succeeded")], 0.1)]
    pool_process.hang_up()


def test_process_that_reads_nothing_is_killed(
    ours: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.pool.pool_process.STALL_SECONDS", 0.2)
    pool_process, theirs = started(ours)
    with theirs:
        Thread(target=pool_process.take, args=(LARGE, print), daemon=True).start()
        until(lambda: ours.poll() is not None, "its end")
    pool_process.hang_up()


def test_process_that_ends_gets_no_more_work(ours: subprocess.Popen[bytes]) -> None:
    pool_process, theirs = started(ours)
    with theirs:
        for is_last in (False, True):
            assert pool_process.idle
            pool_process.take(Microbatch([]), lambda _: None)
            send_frame(theirs, Done([], 0.1, is_last))
            assert pool_process.hear()
        assert not pool_process.idle
