"""Which messages share a microbatch, and when it is dispatched."""

import pytest
from celery.worker import state

from tasks.time_limits import LONGEST_RUN
from tests.unit.clock import Clock
from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.microbatch import batcher
from workers.microbatch.batch_size import MAX_ROWS
from workers.microbatch.batcher import MAX_BYTES
from workers.pool.protocol import Instruction


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_worker_that_does_not_see_the_models_leaves_what_waits_to_others(bench: Bench) -> None:
    assert bench.batcher.capacity > 0
    bench.batcher.rest()
    assert bench.batcher.capacity == 0


def test_a_lone_request_goes_at_once(bench: Bench) -> None:
    bench.add("a")
    assert bench.dispatch() == [["a"]]


def test_messages_for_a_busy_pool_share_the_next_microbatch(bench: Bench) -> None:
    bench.add("a")
    bench.dispatch()
    bench.add("b", "c")
    assert bench.dispatch() == [["a"]], "nothing goes to a busy process"
    bench.add("d")
    bench.pool.processes[0].finish()
    assert bench.dispatch() == [["b", "c", "d"]]


def test_free_processes_each_get_a_microbatch() -> None:
    bench = Bench(processes=3)
    bench.add("a")
    bench.add("b", model="m:2")
    assert bench.dispatch() == [["a"], ["b"]]
    bench.add("c")
    assert bench.dispatch() == [["a"], ["b"], ["c"]]


def test_versions_models_and_methods_never_mix(bench: Bench) -> None:
    bench.add("a1", model="m:1")
    bench.add("b1", model="m:2")
    bench.add("c1", model="n:1")
    bench.add("d1", method="predict_proba")
    bench.add("a2", model="m:1")
    bench.add("d2", method="predict_proba")
    assert [bench.turn() for _ in range(4)] == [["a1", "a2"], ["b1"], ["c1"], ["d1", "d2"]]


def test_the_group_that_waits_longest_goes_first(bench: Bench) -> None:
    bench.add("a", model="m:1")
    bench.dispatch()
    bench.add("b", model="m:2")
    bench.add("c", model="m:1")
    bench.add("d", model="m:2")
    bench.pool.processes[0].finish()
    assert [bench.turn(), bench.turn()] == [["b", "d"], ["c"]]


def test_a_stream_of_large_requests_lets_others_pass(bench: Bench) -> None:
    """Large requests never run out: for each that ends another is added."""
    bench.add("large 0", "large 1", rows=MAX_ROWS)
    bench.add("small", model="n:1")
    batches = []
    for number in range(2, 5):
        batches.append(bench.turn())
        bench.add(f"large {number}", rows=MAX_ROWS)
    assert ["small"] in batches


def test_rows_are_counted_not_requests(bench: Bench) -> None:
    half = MAX_ROWS // 2
    bench.add("a", "b", "c", rows=half)
    assert [bench.turn(), bench.turn()] == [["a", "b"], ["c"]]
    bench.add("d", rows=half + 1)
    bench.add("e", rows=half)
    bench.add("f")
    assert [bench.turn(), bench.turn()] == [["d"], ["e", "f"]]


def test_a_request_larger_than_a_batch_is_alone_and_in_its_turn(bench: Bench) -> None:
    bench.add("a")
    bench.add("large", rows=40 * MAX_ROWS)
    bench.add("b")
    assert [bench.turn() for _ in range(3)] == [["a"], ["large"], ["b"]]


def test_bytes_are_bounded_too(bench: Bench) -> None:
    bench.add("a", "b", "c", body=bytes(MAX_BYTES // 2))
    bench.add("huge", body=bytes(2 * MAX_BYTES))
    assert [bench.turn() for _ in range(3)] == [["a", "b"], ["c"], ["huge"]]


def test_there_is_capacity_only_while_a_process_is_free(bench: Bench) -> None:
    assert bench.batcher.capacity == MAX_ROWS
    bench.add("a", "b")
    assert bench.batcher.capacity == MAX_ROWS - 2
    bench.dispatch()
    assert bench.batcher.capacity == 0
    bench.pool.processes[0].finish()
    assert bench.batcher.capacity == MAX_ROWS
    bench.add(*map(str, range(MAX_ROWS + 5)))
    assert bench.batcher.capacity == 0


def test_held_includes_waiting_and_running_messages(bench: Bench) -> None:
    bench.add("a")
    bench.dispatch()
    bench.add("b")
    assert sorted(bench.batcher.held()) == ["tag a", "tag b"]
    bench.pool.processes[0].finish()
    assert list(bench.batcher.held()) == ["tag b"]


def test_give_up_waiting_leaves_running_messages(bench: Bench) -> None:
    bench.add("a")
    bench.dispatch()
    bench.add("b")
    assert bench.batcher.give_up_waiting() == ["tag b"]
    assert list(bench.batcher.held()) == ["tag a"]
    bench.pool.processes[0].finish()
    assert bench.dispatch() == []


def test_suspects_of_a_dead_process_run_alone(bench: Bench) -> None:
    bench.add("a", "b")
    bench.dispatch()
    bench.add("c")
    bench.pool.processes[0].die()
    assert sorted(bench.batcher.held()) == ["tag a", "tag b", "tag c"]
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
    monkeypatch.setattr(batcher, "time", clock)
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
    spared: list[str] = []
    bench.batcher.spare = lambda messages: bool(spared.extend(m.tag for m in messages) or True)
    bench.add("a", limit=20)
    bench.add("b", limit=30)
    bench.add("c")
    assert bench.dispatch() == [["a", "b", "c"]]
    die_after(bench, clock, 25)
    assert spared == ["tag b", "tag c"]
    assert list(bench.batcher.held()) == ["tag a"]
    assert bench.events.said[-2:] == [("retrying", "b"), ("retrying", "c")]
    assert bench.turn() == ["a"]


@pytest.mark.parametrize("seconds", [19, 301])
def test_a_death_before_any_limit_or_after_all_makes_all_suspects(
    bench: Bench, clock: Clock, seconds: float
) -> None:
    bench.batcher.spare = lambda messages: not messages or pytest.fail("it may be guilty")
    bench.add("a", limit=20)
    bench.add("b")
    bench.dispatch()
    die_after(bench, clock, seconds)
    assert [bench.turn(), bench.turn()] == [["a"], ["b"]]


def test_requests_with_far_shorter_limits_have_a_batch_of_their_own(bench: Bench) -> None:
    for name, limit in [("a", 300), ("b", 1e-9), ("c", 8), ("d", 0.05), ("e", 0.06), ("f", 5e-324)]:
        bench.add(name, limit=limit)
    assert [bench.turn() for _ in range(4)] == [["a", "c"], ["b"], ["d", "e"], ["f"]]


def test_a_process_that_died_within_the_limit_has_not_timed_out(bench: Bench) -> None:
    bench.add("a")
    for _ in range(3):
        bench.dispatch()
        (process,) = bench.pool.processes
        assert [item.instruction for item in process.batch.items] == [Instruction.COMPUTE]
        process.die()


def test_messages_keep_their_time_limits(bench: Bench) -> None:
    bench.add("a", limit=20)
    bench.add("b")
    bench.dispatch()
    (process,) = bench.pool.processes
    assert [item.limit for item in process.batch.items] == [20, LONGEST_RUN]


def test_frozen_process_is_no_timeout(bench: Bench, clock: Clock) -> None:
    bench.add("a", limit=20)
    bench.dispatch()
    (process,) = bench.pool.processes
    process.frozen = True
    die_after(bench, clock, 21)
    bench.dispatch()
    assert [item.instruction for item in process.batch.items] == [Instruction.COMPUTE]


def test_messages_of_a_version_whose_loading_hangs_are_given_up(bench: Bench) -> None:
    bench.add("a", "b", model="loading:1")
    bench.add("c")
    assert bench.turn() == ["c"]
    assert bench.dispatch() == []

    bench.batcher.give_up("loading:1")

    assert bench.dispatch() == [["a", "b"]]
    (process,) = bench.pool.processes
    assert {item.instruction for item in process.batch.items} == {Instruction.GIVE_UP_LOADING}
    process.finish("failed")
    bench.add("d", model="loading:1")
    assert bench.dispatch() == [], "a later message waits for the next load"
    assert list(bench.batcher.held()) == ["tag d"]
    assert bench.batcher._waiting_bytes == 1


@pytest.mark.parametrize("verdict", ["retrying", "failed", "dropped"])
def test_message_of_a_dead_process_alone_is_judged(bench: Bench, verdict: str) -> None:
    bench.batcher.judge = lambda message: verdict
    bench.add("a")
    bench.dispatch()
    bench.pool.processes[0].die()
    assert list(bench.batcher.held()) == []
    assert bench.events.said[-1] == (verdict, "a")


def test_messages_that_shared_a_microbatch_are_not_judged(bench: Bench) -> None:
    bench.batcher.judge = lambda message: "failed"
    bench.add("a", "b")
    bench.dispatch()
    bench.pool.processes[0].die()
    assert [bench.turn(), bench.turn()] == [["a"], ["b"]]


def test_retrying_message_is_let_go(bench: Bench) -> None:
    bench.add("a")
    bench.dispatch()
    bench.pool.processes[0].finish("retrying")
    assert list(bench.batcher.held()) == []


def test_a_message_revoked_while_it_waited_is_cancelled(bench: Bench) -> None:
    bench.add("a", "b")
    state.revoked.add("b")
    try:
        bench.dispatch()
    finally:
        state.revoked.discard("b")
    (process,) = bench.pool.processes
    assert [item.instruction for item in process.batch.items] == [
        Instruction.COMPUTE,
        Instruction.CANCEL,
    ]


def test_messages_are_announced_once_at_each_step(bench: Bench) -> None:
    bench.add("a", "b")
    bench.turn()
    steps = "received", "started", "succeeded"
    assert sorted(bench.events.said) == sorted((s, name) for s in steps for name in "ab")


def test_a_cold_batcher_takes_one_message_and_then_a_whole_batch_size() -> None:
    bench = Bench(warm=False)
    assert bench.batcher.capacity == 1
    bench.add("first")
    bench.turn()
    assert bench.batcher.capacity > 1


def test_messages_without_a_model_do_not_change_the_batch_size() -> None:
    """A canary on `bulk` is one such: the worker would reserve the steps of all jobs."""
    bench = Bench(warm=False)
    bench.add("canary", model=None)
    bench.turn()
    assert bench.batcher.capacity == 1


def test_messages_waiting_for_a_load_do_not_block_others() -> None:
    bench = Bench()
    bench.add(*map(str, range(300)), model="loading:1")
    assert bench.batcher.capacity == MAX_ROWS
    bench.add("other")
    assert bench.dispatch() == [["other"]]


def test_messages_of_loading_versions_are_bounded() -> None:
    bench = Bench()
    bench.add(*map(str, range(batcher.MAX_WAITING - 3)), model="loading:1")
    assert bench.batcher.capacity == 3


def test_bytes_of_loading_versions_are_bounded() -> None:
    bench = Bench()
    for name in "abcd":
        bench.add(name, model="loading:1", body=bytes(batcher.MAX_WAITING_BYTES // 4))
    assert bench.batcher.capacity == 0
    bench.batcher.give_up_waiting()
    assert bench.batcher.capacity == MAX_ROWS
