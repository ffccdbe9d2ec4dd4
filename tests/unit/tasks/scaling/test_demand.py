"""The demand of a queue: what waits in it, and what the heartbeats of its workers say."""

from typing import Any

import msgspec

from tasks.ledger.queue.queue_snapshot import QueueSnapshot
from tasks.scaling.demand import Work, demand_of


def snapshot(*workers: dict[str, Any], depth: int = 0, rows: int = 0) -> QueueSnapshot:
    return QueueSnapshot(
        depth=depth,
        rows=rows,
        taken=0,
        reserved=0,
        rate=None,
        oldest=None,
        workers=[*workers],
        paused=frozenset(),
    )


def worker(processes: int, **work: Any) -> dict[str, Any]:
    return {"processes": processes, "work": msgspec.structs.asdict(Work(**work))}


def test_what_waits_in_workers_counts_with_what_waits_in_the_queue() -> None:
    held = worker(2, busy=1.25, rows_waiting=40, messages_waiting=4, rows_computing=8)
    demand = demand_of(snapshot(held, worker(1, busy=0.5), depth=3, rows=30))
    assert (demand.workers, demand.processes, demand.busy) == (2, 3, 1.75)
    assert (demand.rows_waiting, demand.messages_waiting, demand.rows_computing) == (70, 7, 8)


def test_messages_that_tell_no_rows_have_one_each() -> None:
    assert demand_of(snapshot(depth=5, rows=0)).rows_waiting == 5


def test_speed_is_that_of_a_process_wherever_it_is_known() -> None:
    fast, slow = worker(3, rows_per_second=100.0), worker(1, rows_per_second=20.0)
    assert demand_of(snapshot(fast, slow, worker(4))).rows_per_second == 80
    assert demand_of(snapshot(worker(4))).rows_per_second is None
    assert demand_of(snapshot(worker(0, rows_per_second=100.0))).rows_per_second is None


def test_workers_of_an_earlier_release_say_nothing_of_their_work() -> None:
    assert demand_of(snapshot({"processes": 2})).processes == 2
