"""Pools: one for each environment, started when it is asked for, and bounded in number and work."""

import hashlib
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from registry.manifest import Environment
from registry.store import Registry
from tests.support.models import described
from tests.unit.clock import Clock
from workers.heartbeat import describe_worker
from workers.pool import pools
from workers.pool.fork_server_client import STOP_GRACE
from workers.pool.listener import Listener
from workers.pool.load_retry import LoadRetry
from workers.pool.pools import MAX_ENVIRONMENTS, Pools


class FakePool:
    """A pool whose processes hold all that they are asked for, once they are ready."""

    is_ready_at_once, memory_bytes = True, 0

    def __init__(self, load_retry, size, queue, listener, environment_of=None):
        self.size, self.queue, self.listener = size, queue, listener
        self.environment_of, self.is_retired, self.has_spare = environment_of, False, True
        ready = [1] if self.is_ready_at_once else []
        self.processes = SimpleNamespace(pids=ready, held={}, busy=[], free=[1])

    def resize(self, size):
        self.size = size

    def listen(self, hub):
        self.hub = hub

    def idle(self, reference):
        return SimpleNamespace(pool=self, reference=reference) if self.processes.pids else None

    def hold(self, reference):
        self.told = "hold", reference
        return bool(self.processes.pids)

    def unload(self, reference):
        self.told = "unload", reference
        return True

    def can_serve(self, reference):
        return bool(self.processes.pids)

    def maintain(self):
        pass

    def retire(self):
        self.is_retired = True

    def hang_up(self):
        self.has_hung_up = True

    def stop(self, grace):
        """Its fork server hangs."""
        assert all(pool.has_hung_up for pool in self.beside)
        self.clock.now += grace


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(pools, "time", clock)
    return clock


@pytest.fixture
def served(tmp_path, monkeypatch, clock):
    """The pools of a worker with two processes; e1 to e5 need an environment each."""
    monkeypatch.setattr(pools, "Pool", FakePool)
    registry = Registry(tmp_path)
    registry.add("shared", described(b"shared"), b"shared")
    for name in ("e1", "e2", "e3", "e4", "e5"):
        lock = hashlib.sha256(name.encode()).hexdigest()
        wanted = Environment(lock, ("tinyscale",), "3.11.7", 1)
        content = name.encode()
        registry.add(name, replace(described(content), environment=wanted), content)
    made = Pools(LoadRetry(registry), registry)
    looks = made.looks = []
    made.start(2, "predict", Listener(lambda: None, lambda: looks.append(1), lambda _: None))
    made.listen(object())
    return made


def started(served, reference):
    """The process that takes a message, once the pool of its environment has started."""
    assert not served.can_serve(reference)
    assert served.idle(reference) is None
    return served.idle(reference)


def test_pools_end_before_they_were_started(tmp_path):
    registry = Registry(tmp_path)
    unstarted = Pools(LoadRetry(registry), registry)
    unstarted.close()
    unstarted.kill_all()
    unstarted.stop()
    assert not unstarted.pids


def test_pools_start_an_environment_with_its_first_message(served):
    main = served.idle("shared:1").pool
    assert main.environment_of is None
    first = started(served, "e1:1")
    assert (first.pool.environment_of, first.reference) == ("e1:1", "e1:1")
    assert served.idle(None).pool is main
    assert served.idle("e1:1").pool is first.pool


def test_pools_compute_no_more_at_once_than_the_worker_has_processes(served):
    main, other = served.idle("shared:1").pool, started(served, "e1:1").pool
    assert served.has_spare
    other.processes.busy = [1]
    assert served.has_idle
    assert not served.has_spare
    main.processes.busy = [1]
    assert not served.has_idle
    assert served.idle("e1:1") is None


def test_pools_are_resized_with_those_that_start_later(served):
    main, other = served.idle("shared:1").pool, started(served, "e1:1").pool
    served.resize(3)
    assert [served.size, main.size, other.size, started(served, "e2:1").pool.size] == [3] * 4
    main.processes.busy = other.processes.busy = [1]
    assert served.has_idle


def test_pools_tell_the_heartbeat_no_more_processes_than_may_compute_at_once(served):
    main, other = served.idle("shared:1").pool, started(served, "e1:1").pool
    main.processes.pids, other.processes.pids = [1], []
    assert describe_worker(served)["processes"] == 1
    main.processes.pids, other.processes.pids = [1, 2], [3, 4]
    assert describe_worker(served)["processes"] == 2


def test_pools_of_environments_end_after_a_while_without_messages(served, clock):
    pool = started(served, "e1:1").pool
    clock.now += pools.UNUSED_SECONDS - 1
    served.maintain()
    assert not pool.is_retired
    pool.processes.busy = [1]
    clock.now += 2
    served.maintain()
    assert not pool.is_retired
    pool.processes.busy = []
    served.maintain()
    assert pool.is_retired
    assert not served.can_serve("e1:1")


def test_pools_give_the_place_of_the_least_recently_used_environment_to_another(served, clock):
    names = [f"e{number}:1" for number in range(1, MAX_ENVIRONMENTS + 1)]
    first, second, *_ = [started(served, name).pool for name in names]
    clock.now += pools.SPARED_SECONDS + 1
    assert served.idle(names[0]).pool is first
    assert started(served, "e5:1").pool.environment_of == "e5:1"
    assert (first.is_retired, second.is_retired) == (False, True)


def test_pools_that_start_or_were_just_asked_for_keep_their_places_for_a_while(served, clock):
    names = [f"e{number}:1" for number in range(1, MAX_ENVIRONMENTS + 1)]
    found = [started(served, name).pool for name in names]
    found[0].processes.pids = []
    assert served.idle("e5:1") is None
    assert not any(pool.is_retired for pool in found)
    clock.now += pools.SPARED_SECONDS + 1
    served.maintain()
    assert served.looks == [1]  # the worker looks at its messages again
    assert started(served, "e5:1")
    assert [pool.is_retired for pool in found[:2]] == [False, True]


def test_pools_that_start_do_not_end_each_other_while_messages_wait_for_all(
    served, clock, monkeypatch
):
    """Of five environments, four may run: each starts once, however often the worker looks."""
    monkeypatch.setattr(FakePool, "is_ready_at_once", False)
    names = [f"e{number}:1" for number in range(1, MAX_ENVIRONMENTS + 2)]
    for _ in range(20):
        assert [served.idle(name) for name in reversed(names)] == [None] * len(names)
        clock.now += pools.UNUSED_SECONDS + 1
        served.maintain()
    found = [*served._others.values()]
    assert {pool.environment_of for pool in found} == {*names[1:]}
    assert not any(pool.is_retired for pool in found)
    found[0].processes.pids = [1]
    assert served.idle(found[0].environment_of).pool is found[0]
    clock.now += pools.SPARED_SECONDS + 1
    assert served.idle(names[0]) is None
    assert [pool.is_retired for pool in found] == [True, False, False, False]


def test_pools_keep_an_environment_that_messages_of_a_busy_worker_wait_for(served, clock):
    waited_for, main = started(served, "e1:1").pool, served.idle("shared:1").pool
    main.processes.busy = [1, 2]
    clock.now += pools.UNUSED_SECONDS + 1
    assert served.idle("e1:1") is None
    served.maintain()
    assert not waited_for.is_retired


def test_pools_share_the_grace_of_a_shutdown(served, clock):
    names = [f"e{number}:1" for number in range(1, MAX_ENVIRONMENTS + 1)]
    found = [served.idle("shared:1").pool, *[started(served, name).pool for name in names]]
    for pool in found:
        pool.beside, pool.clock, pool.has_hung_up = found, clock, False
    before = clock.now
    served.stop()
    assert clock.now - before == pytest.approx(STOP_GRACE)


def test_pools_that_all_compute_are_not_ended(served):
    names = [f"e{number}:1" for number in range(1, MAX_ENVIRONMENTS + 1)]
    found = [started(served, name).pool for name in names]
    served._shared.size = MAX_ENVIRONMENTS + 1
    for pool in found:
        pool.processes.busy = [1]
    assert served.idle("e5:1") is None
    assert served.idle("e5:1") is None
    assert not any(pool.is_retired for pool in found)


def test_pools_give_a_version_without_its_environment_to_the_worker_for_its_error(served):
    pool = started(served, "e1:1").pool
    pool.processes.pids = []
    pool.listener.on_end()
    assert served.idle("e1:1").pool is served.idle("shared:1").pool


def test_pools_start_an_environment_again_after_its_fork_server_was_killed(served):
    first = started(served, "e1:1").pool
    first.listener.on_end()
    first.processes.busy = [1]
    served.maintain()
    assert not first.is_retired
    second = started(served, "e1:1").pool
    assert second is not first
    first.processes.busy = []
    served.maintain()
    assert first.is_retired


def test_pools_load_and_unload_a_version_in_the_pool_of_its_environment(served):
    assert served.unload("e1:1"), "no pool has it"
    assert served.hold("shared:1")
    main = served.idle("shared:1").pool
    assert main.told == ("hold", "shared:1")
    assert served.hold("e1:1"), "its pool is started for that"
    other = served.idle("e1:1").pool
    assert (main.told, other.told) == (("hold", "shared:1"), ("hold", "e1:1"))
    assert served.unload("e1:1")
    assert (main.told, other.told) == (("hold", "shared:1"), ("unload", "e1:1"))


def test_pools_load_nothing_in_an_environment_that_may_not_start_now(served):
    for name in ("e1", "e2", "e3", "e4"):
        assert served.hold(f"{name}:1")
    assert not served.hold("e5:1")
    served.maintain()
    assert served.looks, "the batcher tries again"
