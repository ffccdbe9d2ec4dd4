"""Which messages share a microbatch, when it is dispatched, and what its process is told."""

from datetime import UTC, datetime
from typing import Any

from celery.worker import state

from tasks.time_limits import MAX_RUN_SECONDS
from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.microbatch.batch_size import MAX_ROWS
from workers.protocol import Instruction, Microbatch, Step


def test_lone_request_is_dispatched_at_once(bench: Bench) -> None:
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


def test_longest_waiting_group_is_dispatched_first(bench: Bench) -> None:
    bench.add("a", model="m:1")
    bench.dispatch()
    bench.add("b", model="m:2")
    bench.add("c", model="m:1")
    bench.add("d", model="m:2")
    bench.pool.processes[0].finish()
    assert [bench.turn(), bench.turn()] == [["b", "d"], ["c"]]


def test_large_requests_do_not_starve_others(bench: Bench) -> None:
    """Large requests never run out: for each that ends another is added."""
    bench.add("large 0", "large 1", rows=MAX_ROWS)
    bench.add("small", model="n:1")
    batches = []
    for number in range(2, 5):
        batches.append(bench.turn())
        bench.add(f"large {number}", rows=MAX_ROWS)
    assert ["small"] in batches


def test_microbatch_is_bounded_by_rows_not_requests(bench: Bench) -> None:
    half = MAX_ROWS // 2
    bench.add("a", "b", "c", rows=half)
    assert [bench.turn(), bench.turn()] == [["a", "b"], ["c"]]
    bench.add("d", rows=half + 1)
    bench.add("e", rows=half)
    bench.add("f")
    assert [bench.turn(), bench.turn()] == [["d"], ["e", "f"]]


def test_request_larger_than_a_microbatch_is_alone_and_in_order(bench: Bench) -> None:
    bench.add("a")
    bench.add("large", rows=40 * MAX_ROWS)
    bench.add("b")
    assert [bench.turn() for _ in range(3)] == [["a"], ["large"], ["b"]]


def test_reserved_tags_include_waiting_and_running_messages(bench: Bench) -> None:
    bench.add("a")
    bench.dispatch()
    bench.add("b")
    assert sorted(bench.batcher.reserved_tags()) == ["tag a", "tag b"]
    bench.pool.processes[0].finish()
    assert list(bench.batcher.reserved_tags()) == ["tag b"]


def test_take_back_waiting_leaves_running_messages(bench: Bench) -> None:
    bench.add("a")
    bench.dispatch()
    bench.add("b")
    assert bench.batcher.take_back_waiting() == ["tag b"]
    assert list(bench.batcher.reserved_tags()) == ["tag a"]
    bench.pool.processes[0].finish()
    assert bench.dispatch() == []


def test_requests_with_far_shorter_limits_have_a_batch_of_their_own(bench: Bench) -> None:
    for name, limit in [("a", 300), ("b", 1e-9), ("c", 8), ("d", 0.05), ("e", 0.06), ("f", 5e-324)]:
        bench.add(name, limit=limit)
    assert [bench.turn() for _ in range(4)] == [["a", "c"], ["b"], ["d", "e"], ["f"]]


def test_messages_keep_their_time_limits(bench: Bench) -> None:
    bench.add("a", limit=20)
    bench.add("b")
    bench.dispatch()
    (process,) = bench.pool.processes
    assert [item.limit for item in process.batch.items] == [20, MAX_RUN_SECONDS]


def test_messages_of_a_version_whose_loading_hangs_are_given_up(bench: Bench) -> None:
    bench.add("a", "b", model="loading:1")
    bench.add("c")
    assert bench.turn() == ["c"]
    assert bench.dispatch() == []

    bench.batcher.fail_waiting_for("loading:1")

    assert bench.dispatch() == [["a", "b"]]
    (process,) = bench.pool.processes
    assert {item.instruction for item in process.batch.items} == {Instruction.GIVE_UP_LOADING}
    process.finish("failed")
    bench.add("d", model="loading:1")
    assert bench.dispatch() == [], "a later message waits for the next load"
    assert list(bench.batcher.reserved_tags()) == ["tag d"]
    assert bench.batcher._gathered.bytes == 1


def test_retrying_message_is_released(bench: Bench) -> None:
    bench.add("a")
    bench.dispatch()
    bench.pool.processes[0].finish("retrying")
    assert list(bench.batcher.reserved_tags()) == []


def test_message_revoked_while_it_waited_is_cancelled(bench: Bench) -> None:
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


class Reports:
    """Notes what the batcher reports beside the ids."""

    def __init__(self, bench: Bench) -> None:
        self.pids: list[int] = []
        self.seconds: list[float] = []
        events: Any = bench.events
        events.started = lambda request, pid: self.pids.append(pid)
        events.finished = lambda request, how, seconds: self.seconds.append(seconds)


def test_step_of_a_job_is_a_command_of_its_own(bench: Bench) -> None:
    bench.add("a.0", is_step=True)
    bench.batcher.dispatch()
    command: Any = bench.pool.processes[0].batch
    assert isinstance(command, Step)
    assert command.item.id == "a.0"


def test_queue_deadline_goes_with_the_message(bench: Bench) -> None:
    deadline = datetime(2030, 1, 1, tzinfo=UTC)
    bench.add("a", expires=deadline)
    bench.add("b")
    bench.batcher.dispatch()
    command = bench.pool.processes[0].batch
    assert isinstance(command, Microbatch)
    assert [item.expires for item in command.items] == [deadline.timestamp(), None]


def test_process_and_seconds_are_reported(bench: Bench) -> None:
    reports = Reports(bench)
    bench.add("a")
    bench.batcher.dispatch()
    bench.pool.processes[0].finish(seconds=0.25)
    assert (reports.pids, reports.seconds) == ([bench.pool.processes[0].pid], [0.25])


def test_cancelled_microbatch_took_no_seconds(bench: Bench) -> None:
    reports = Reports(bench)
    bench.add("a")
    bench.batcher.dispatch()
    process: Any = bench.pool.processes[0]
    bench.batcher.abandon(process)
    process.die()
    assert reports.seconds == [0.0]


def test_messages_that_were_taken_back_leave_no_bytes(bench: Bench) -> None:
    bench.add("a", model="loading:1")
    assert bench.batcher.take_back_waiting() == ["tag a"]
    assert bench.batcher._gathered.bytes == 0


def test_step_that_waits_for_a_hanging_version_stays_alone(bench: Bench) -> None:
    bench.add("a.0", model="loading:1", is_step=True)
    bench.add("a", model="loading:1")
    bench.batcher.fail_waiting_for("loading:1")
    (alone, shared) = bench.batcher._gathered
    assert (alone.alone is not None, shared.alone is not None) == (True, False)
    messages = [*bench.batcher._gathered.messages()]
    assert {message.instruction for message in messages} == {Instruction.GIVE_UP_LOADING}
