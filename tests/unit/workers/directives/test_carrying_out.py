"""A worker carries out directives, over pools and a ledger that are given."""

from typing import Any

import pytest

from registry.store import Registry
from tasks.ledger.queue.directives import NONE, Directive, DirectiveReport, NewDirectives, report_of
from tests.support.models import described
from tests.unit.clock import Clock
from workers.directives import carrying_out
from workers.directives.carrying_out import MAX_FAILED, DirectiveRunner
from workers.pool.load_retry import LoadRetry


class GivenDirectives:
    """Directives that are given."""

    def __init__(self) -> None:
        self.all: list[Directive] = []
        self.dropped: str | None = None

    def give(self, version: str, *, loads: bool = True) -> str:
        self.all.append(Directive(f"{len(self.all) + 1}-0", version, loads))
        return self.all[-1].id

    def newest(self) -> str:
        return self.all[-1].id if self.all else NONE

    def since(self, id: str) -> NewDirectives:
        found = [each for each in self.all if int(each.id[:-2]) > int(id[:-2])]
        return NewDirectives(found, found[-1].id if found else id, self.dropped)


class Pools:
    """Pools that hold what they are asked for once they are allowed to."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.asked: list[str] = []
        self.allowed: set[str] = set()
        self.foreign: set[str] = set()

    def serves(self, reference: str) -> bool:
        return reference not in self.foreign

    def hold(self, reference: str) -> bool:
        self.asked.append(f"load {reference}")
        self.held |= {reference} & self.allowed
        return reference in self.held

    def unload(self, reference: str) -> bool:
        self.asked.append(f"unload {reference}")
        self.held -= {reference} & self.allowed
        return reference not in self.held


@pytest.fixture
def given() -> GivenDirectives:
    return GivenDirectives()


@pytest.fixture
def pools() -> Pools:
    return Pools()


@pytest.fixture
def load_retry(tmp_path: Any) -> LoadRetry:
    registry = Registry(tmp_path)
    registry.add("m", described(b"m"), b"m")
    return LoadRetry(registry)


@pytest.fixture
def worker(given: Any, pools: Any, load_retry: LoadRetry) -> DirectiveRunner:
    found = DirectiveRunner(given, pools, load_retry)
    found.advance()
    return found


def report(worker: DirectiveRunner) -> DirectiveReport:
    return report_of(worker.advance())


def test_directive_is_pending_until_it_is_carried_out(
    worker: DirectiveRunner, given: GivenDirectives, pools: Pools
) -> None:
    load = given.give("m:1")
    assert report(worker).pending == [load]
    assert not report(worker).is_done(load)
    pools.allowed.add("m:1")
    assert report(worker).is_done(load)
    unload = given.give("m:1", loads=False)
    assert not report_of({}).is_done(unload)
    assert report(worker).is_done(unload)
    assert pools.held == set()


def test_worker_carries_out_nothing_that_was_told_before_it_started(
    given: Any, pools: Any, load_retry: LoadRetry
) -> None:
    before = given.give("m:1")
    late = DirectiveRunner(given, pools, load_retry)
    assert report(late).is_done(before)
    assert pools.asked == []


def test_directives_of_one_version_are_carried_out_in_order(
    worker: DirectiveRunner, given: GivenDirectives, pools: Pools
) -> None:
    given.give("m:1")
    given.give("m:1", loads=False)
    given.give("other:1")
    worker.advance()
    assert pools.asked == ["load m:1", "load other:1"]
    pools.allowed |= {"m:1", "other:1"}
    worker.advance()
    assert pools.asked[2:] == ["load m:1", "unload m:1", "load other:1"]


def test_load_that_fails_is_told_with_its_reason(
    worker: DirectiveRunner, given: GivenDirectives, load_retry: LoadRetry
) -> None:
    load_retry.note("m:1", "an old fault")
    load = given.give("m:1")
    assert report(worker).pending == [load], "what failed before is tried anew"
    load_retry.note("m:1", "no such file")
    told = report(worker)
    assert (told.pending, told.failed) == ([], {load: "no such file"})
    assert told.is_done(load)


def test_directive_that_takes_too_long_is_given_up(
    worker: DirectiveRunner, given: GivenDirectives, pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(carrying_out, "time", clock)
    load = given.give("m:1")
    worker.advance()
    clock.now += 301
    assert "more than 300" in report(worker).failed[load]
    asked = len(pools.asked)
    worker.advance()
    assert len(pools.asked) == asked


def test_failures_that_are_told_are_bounded(
    worker: DirectiveRunner, given: GivenDirectives, load_retry: LoadRetry
) -> None:
    for _ in range(MAX_FAILED + 5):
        given.give("m:1")
        worker.advance()
        load_retry.note("m:1", "broken")
        worker.advance()
    assert min(report(worker).failed, key=lambda each: int(each[:-2])) == "6-0"
    assert len(report(worker).failed) == MAX_FAILED


def test_worker_that_deploys_another_model_loads_nothing(
    worker: DirectiveRunner, given: GivenDirectives, pools: Pools
) -> None:
    pools.foreign = {"m:1"}
    given.give("m:1")
    assert report(worker).pending == []
    assert pools.asked == []


def test_directives_that_were_dropped_unread_are_not_told_as_done(
    worker: DirectiveRunner, given: GivenDirectives
) -> None:
    first = given.give("m:1")
    worker.advance()
    given.give("m:2")
    unread = "2-0"
    given.all, given.dropped = [], "4-0"
    given.all = [Directive("4-0", "m:3", True)]
    told = report(worker)
    assert told.is_done(unread), "it waits for nothing"
    assert "dropped before the worker read it" in (told.fault(unread) or "")
    assert told.fault(first) is told.fault("4-0") is None
