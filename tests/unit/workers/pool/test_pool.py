"""A pool whose fork server or processes end, and whose worker connects to the broker again."""

import socket

import pytest
from kombu.asynchronous import Hub

from registry.store import Registry
from workers.pool.load_retry import LoadRetry
from workers.pool.pool import Listener, Pool


class EndedForkServer:
    """A fork server that ends when it is first heard."""

    at_work_on = hung_on = None

    def __init__(self, *_):
        self._control, self._theirs = socket.socketpair()

    def fileno(self):
        return self._control.fileno()

    def fork(self):
        ours, self.forked = socket.socketpair()
        return ours

    def hear(self):
        return None

    def hang_up(self):
        self._control.close()

    def close(self, grace=0.0):
        self.hang_up()


def nothing(*_):
    pass


def test_pool_without_a_fork_server_listens_to_its_processes_after_a_reconnect(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("workers.pool.pool.ForkServerClient", EndedForkServer)
    ended = []
    pool = Pool(LoadRetry(Registry(tmp_path)))
    pool.start(1, "predict", Listener(nothing, nothing, nothing, lambda: ended.append(1)))
    pool.listen(Hub())
    pool._hear_fork_server()
    assert ended
    again = Hub()
    pool.listen(again)
    assert [*again.readers] == [pool._processes[0].fileno()]
    pool.stop()


class CountingForkServer(EndedForkServer):
    """A fork server whose processes end before they are ready."""

    forks = 0

    def fork(self):
        ours, theirs = socket.socketpair()
        theirs.close()
        self.forks += 1
        return ours

    def end_overdue(self):
        """It hangs in no load."""


def test_pool_waits_before_it_forks_again_what_ended_before_it_was_ready(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("workers.pool.pool.ForkServerClient", CountingForkServer)
    pool = Pool(LoadRetry(Registry(tmp_path)))
    pool.start(2, "predict", Listener(nothing, nothing, nothing))
    pool.listen(Hub())
    for process in [*pool._processes]:
        pool._hear(process)
    assert pool._fork_server.forks == 2, "at once it would end in the same way"
    pool.maintain()
    assert pool._fork_server.forks == 4
    pool.stop()
