"""What a pool process is told to compute, and what the batcher reports of it."""

from datetime import UTC, datetime
from typing import Any

from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.protocol import Instruction, Microbatch, Step


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
    assert bench.batcher._waiting.bytes == 0


def test_step_that_waits_for_a_hanging_version_stays_alone(bench: Bench) -> None:
    bench.add("a.0", model="loading:1", is_step=True)
    bench.add("a", model="loading:1")
    bench.batcher.fail_waiting_for("loading:1")
    (alone, shared) = bench.batcher._waiting
    assert (alone.alone is not None, shared.alone is not None) == (True, False)
    messages = [*bench.batcher._waiting.messages()]
    assert {message.instruction for message in messages} == {Instruction.GIVE_UP_LOADING}
