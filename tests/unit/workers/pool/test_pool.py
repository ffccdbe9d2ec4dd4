"""A pool whose fork server ended, and whose worker connects to the broker again."""

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
