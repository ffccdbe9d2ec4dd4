"""A process whose predictions were all cancelled is freed, and none of them is computed again."""

from types import SimpleNamespace
from typing import Any

import redis

from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.microbatch.cancelled_runs import LONG_RUN, CancelledRuns


class Ledger:
    """Knows which predictions were cancelled; the others are in one state."""

    def __init__(self, *cancelled: str, state: str = "running") -> None:
        self.cancelled, self.state, self.dropped = set(cancelled), state, []
        self.is_away = False

    def record(self, task_id: str) -> Any:
        if self.is_away:
            raise redis.ConnectionError
        state = "cancelled" if task_id in self.cancelled else self.state
        return SimpleNamespace(state=state, reference="m:1")

    def settle(self, version: str, outcomes: list[Any]) -> None:
        self.dropped += [outcome.tag for outcome in outcomes]


def running(*names: str) -> Bench:
    """A bench whose only process has computed these for long."""
    bench = Bench()
    bench.add(*names)
    assert bench.dispatch() == [[*names]]
    bench.pool.processes[0].busy_seconds = LONG_RUN
    return bench


def look(bench: Bench, ledger: Ledger) -> None:
    CancelledRuns(ledger, bench.batcher).look()


def test_cancelled_run_ends_with_its_process() -> None:
    bench, ledger = running("a", "b"), Ledger("a", "b")
    look(bench, ledger)
    (process,) = bench.pool.processes
    assert process.is_killed
    assert ledger.dropped == ["tag a", "tag b"]
    process.die()
    assert bench.dispatch() == [], "neither is computed again"
    assert bench.events.said[-2:] == [("cancelled", "a"), ("cancelled", "b")]
    bench.add("c")
    assert bench.dispatch() == [["c"]]


def test_cancelled_run_goes_on_for_a_companion() -> None:
    bench = running("a", "b")
    look(bench, Ledger("a"))
    assert not bench.pool.processes[0].is_killed


def test_cancelled_run_is_not_looked_at_while_it_is_short() -> None:
    bench = running("a")
    bench.pool.processes[0].busy_seconds = LONG_RUN / 2
    look(bench, Ledger("a"))
    assert not bench.pool.processes[0].is_killed


def test_cancelled_run_goes_on_without_redis() -> None:
    bench, ledger = running("a"), Ledger("a")
    ledger.is_away = True
    look(bench, ledger)
    assert not bench.pool.processes[0].is_killed


def test_cancelled_run_that_ends_by_itself_is_told_as_it_ended() -> None:
    bench = running("a")
    look(bench, Ledger("a"))
    bench.pool.processes[0].finish("cancelled")
    assert bench.events.said[-1] == ("cancelled", "a")
    bench.add("b")
    bench.dispatch()
    bench.pool.processes[0].die()
    assert bench.dispatch() == [["b"]], "another death is not a cancellation"


def test_run_that_has_settled_but_not_said_so_is_not_cancelled() -> None:
    bench = running("a")
    look(bench, Ledger(state="succeeded"))
    assert not bench.pool.processes[0].is_killed
