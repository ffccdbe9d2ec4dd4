"""What becomes of the messages of a pool process that died or exceeded a time limit."""

import pytest

from tests.unit.clock import Clock
from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.microbatch import running
from workers.protocol import DispositionKind, Instruction


def test_suspects_of_a_crashed_process_run_alone(bench: Bench) -> None:
    bench.add("a", "b")
    bench.dispatch()
    bench.add("c")
    bench.pool.processes[0].die()
    assert sorted(bench.batcher.reserved_tags()) == ["tag a", "tag b", "tag c"]
    assert [bench.turn() for _ in range(3)] == [["c"], ["a"], ["b"]]


def test_suspect_by_the_ledger_runs_alone(bench: Bench) -> None:
    """The ledger knows that its process died earlier, under another worker."""
    bench.add("a", "b")
    bench.dispatch()
    bench.pool.processes[0].finish("suspect")
    assert [bench.turn(), bench.turn()] == [["a"], ["b"]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(running, "time", clock)
    return clock


def die_after(bench: Bench, clock: Clock, seconds: float) -> None:
    clock.now += seconds
    bench.pool.processes[0].die()


def test_timeout_is_charged_to_a_lone_message(bench: Bench, clock: Clock) -> None:
    bench.add("a", limit=20)
    bench.add("b")
    bench.dispatch()
    die_after(bench, clock, 21)
    assert bench.dispatch() == [["a"]]
    (process,) = bench.pool.processes
    assert [item.instruction for item in process.batch.items] == [Instruction.COMPUTE]
    die_after(bench, clock, 21)
    assert bench.turn() == ["b"]
    assert bench.dispatch() == [["a"]]
    assert [item.instruction for item in process.batch.items] == [Instruction.TIME_OUT]


def test_timeout_of_one_message_spares_the_others(bench: Bench, clock: Clock) -> None:
    bench.judge.is_sparing = True
    bench.add("a", limit=20)
    bench.add("b", limit=30)
    bench.add("c")
    assert bench.dispatch() == [["a", "b", "c"]]
    die_after(bench, clock, 25)
    assert bench.judge.spared == ["tag b", "tag c"]
    assert list(bench.batcher.reserved_tags()) == ["tag a"]
    assert bench.events.said[-2:] == [("retrying", "b"), ("retrying", "c")]
    assert bench.turn() == ["a"]


@pytest.mark.parametrize("seconds", [19, 301])
def test_crash_before_any_limit_or_after_all_makes_all_suspects(
    bench: Bench, clock: Clock, seconds: float
) -> None:
    bench.judge.is_sparing = True
    bench.add("a", limit=20)
    bench.add("b")
    bench.dispatch()
    die_after(bench, clock, seconds)
    assert bench.judge.spared == [], "each may be guilty"
    assert [bench.turn(), bench.turn()] == [["a"], ["b"]]


def test_crash_within_the_limit_is_no_timeout(bench: Bench) -> None:
    bench.add("a")
    for _ in range(3):
        bench.dispatch()
        (process,) = bench.pool.processes
        assert [item.instruction for item in process.batch.items] == [Instruction.COMPUTE]
        process.die()


@pytest.mark.parametrize("limit", [20, 0.5])
def test_timeout_is_not_charged_for_a_frozen_process(
    bench: Bench, clock: Clock, limit: float
) -> None:
    bench.add("a", limit=limit)
    bench.dispatch()
    (process,) = bench.pool.processes
    process.frozen = True
    die_after(bench, clock, limit + 1)
    bench.dispatch()
    assert [item.instruction for item in process.batch.items] == [Instruction.COMPUTE]


@pytest.mark.parametrize("kind", ["retrying", "failed", "dropped"])
def test_message_that_crashed_its_process_alone_is_judged(
    bench: Bench, kind: DispositionKind
) -> None:
    bench.judge.kind = kind
    bench.add("a")
    bench.dispatch()
    bench.pool.processes[0].die()
    assert list(bench.batcher.reserved_tags()) == []
    assert bench.events.said[-1] == (kind, "a")


def test_messages_that_shared_a_microbatch_are_not_judged(bench: Bench) -> None:
    bench.judge.kind = "failed"
    bench.add("a", "b")
    bench.dispatch()
    bench.pool.processes[0].die()
    assert [bench.turn(), bench.turn()] == [["a"], ["b"]]
