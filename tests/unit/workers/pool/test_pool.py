"""A pool whose fork server or processes end, and whose worker connects to the broker again."""

import math
import socket

import pytest
from kombu.asynchronous import Hub

from registry.store import Registry
from workers.pool.listener import Listener
from workers.pool.load_retry import LoadRetry
from workers.pool.pool import Pool
from workers.protocol import LoadCost, Loaded, Ready, Unloaded, send_frame


class EndedForkServer:
    """A fork server that ends when it is first heard."""

    loading = hung_load = None

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
    listener = Listener(nothing, nothing, nothing, lambda: ended.append(1))
    pool = Pool(LoadRetry(Registry(tmp_path)), 1, "predict", listener)
    pool.listen(Hub())
    pool._hear_fork_server()
    assert ended
    again = Hub()
    pool.listen(again)
    assert [*again.readers] == [next(iter(pool.processes)).fileno()]
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
    pool = Pool(LoadRetry(Registry(tmp_path)), 2, "predict", Listener(nothing, nothing, nothing))
    pool.listen(Hub())
    for process in [*pool.processes]:
        pool._hear(process)
    assert pool._fork_server.forks == 2, "at once it would end in the same way"
    pool.maintain()
    assert pool._fork_server.forks == 4
    pool.stop()


class HoldingForkServer(EndedForkServer):
    """A fork server whose processes hold what it holds, and which says what it is told to say."""

    def __init__(self, *_):
        super().__init__()
        self.held, self.said, self.asked, self.forks = set(), [], [], []

    def fork(self):
        ours, theirs = socket.socketpair()
        self.forks.append(theirs)
        send_frame(theirs, Ready(len(self.forks), dict.fromkeys(self.held, LoadCost(1, 0.1))))
        return ours

    def end_overdue(self):
        """It hangs in no load."""

    def load(self, reference):
        self.asked.append(("load", reference))

    def unload(self, reference):
        self.asked.append(("unload", reference))

    def hear(self):
        return self.said.pop(0)


@pytest.fixture
def holding(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """A pool of two processes, which are ready."""
    monkeypatch.setattr("workers.pool.pool.ForkServerClient", HoldingForkServer)
    pool = Pool(LoadRetry(Registry(tmp_path)), 2, "predict", Listener(nothing, nothing, nothing))
    pool.listen(Hub())
    hear_all(pool)
    yield pool
    pool.stop()


def hear_all(pool):
    """Hear of all processes that are starting, and of those that replace them."""
    while starting := [each for each in pool.processes if not each.pid]:
        pool._hear(starting[0])


def told(pool, frame):
    pool._fork_server.said.append(frame)
    pool._hear_fork_server()
    hear_all(pool)


def test_pool_has_a_version_loaded_and_says_once_a_process_holds_it(holding):
    server = holding._fork_server
    assert not holding.hold("m:1")
    server.held.add("m:1")
    told(holding, Loaded("m:1", None))
    assert holding.hold("m:1")
    assert server.asked == [("load", "m:1")]
    assert holding.processes.held == {"m:1": LoadCost(1, 0.1)}


def test_pool_has_unloaded_a_version_once_no_process_is_left_that_held_it(holding):
    server = holding._fork_server
    server.held.add("m:1")
    told(holding, Loaded("m:1", None))
    busy = next(iter(holding.processes))
    busy._finished = nothing
    server.held.clear()
    assert not holding.unload("m:1")
    told(holding, Unloaded("m:1", was_held=True))
    assert "m:1" in holding.processes.held, "the busy process still has it"
    assert not holding.unload("m:1")
    busy._finished = None
    holding._renew()
    hear_all(holding)
    assert holding.unload("m:1")
    assert holding.processes.held == {}
    assert server.asked == [("unload", "m:1")]


def test_pool_replaces_no_process_for_a_version_that_was_not_held(holding):
    before = [*holding.processes]
    assert not holding.unload("m:1")
    told(holding, Unloaded("m:1", was_held=False))
    assert holding.unload("m:1")
    assert [*holding.processes] == before


def test_pool_asks_again_to_unload_a_version_that_was_loaded_since(holding):
    told(holding, Unloaded("m:1", was_held=False))
    told(holding, Loaded("m:1", None))
    assert not holding.unload("m:1")
    assert holding._fork_server.asked == [("unload", "m:1")]


def test_pool_unloads_a_version_although_its_messages_have_it_loaded_again(holding):
    server = holding._fork_server
    server.held.add("m:1")
    told(holding, Loaded("m:1", None))
    assert not holding.unload("m:1")
    server.held.clear()
    told(holding, Unloaded("m:1", was_held=True))
    server.held.add("m:1")
    told(holding, Loaded("m:1", None))  # for a message that came meanwhile
    assert holding.unload("m:1")
    assert server.asked == [("unload", "m:1")]
    assert not holding.unload("m:1"), "the next one is asked for anew"


def test_pool_grows_at_once_and_shrinks_by_processes_that_are_free(holding):
    holding.resize(4)
    assert len(holding.processes) == 4
    hear_all(holding)
    for process in holding.processes:
        process._finished, process._busy_since = nothing, math.inf
    holding.resize(1)
    assert len(holding.processes) == 4, "what is computed is finished first"
    first, *_, newest = holding.processes
    newest._finished = None
    holding.maintain()
    assert newest not in [*holding.processes]
    for process in holding.processes:
        process._finished = None
    holding.maintain()
    assert [*holding.processes] == [first]
    assert len(holding._fork_server.forks) == 4, "none is forked in place of those"


def test_pool_that_shrank_replaces_the_last_process_that_ends(holding):
    holding.resize(1)
    (last,) = holding.processes
    holding._fork_server.forks[0].close()
    holding._hear(last)
    hear_all(holding)
    assert len(holding.processes) == 1
    assert len(holding._fork_server.forks) == 3


def test_pool_that_shrinks_while_processes_are_missing_forks_no_more(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("workers.pool.pool.ForkServerClient", CountingForkServer)
    pool = Pool(LoadRetry(Registry(tmp_path)), 3, "predict", Listener(nothing, nothing, nothing))
    pool.listen(Hub())
    for process in [*pool.processes]:
        pool._hear(process)
    pool.resize(1)
    pool.maintain()
    assert pool._fork_server.forks == 4
    pool.stop()
