"""Settling: the first outcome stands, is counted once and wakes who waits."""

import time

import msgspec
import pytest

from tasks.gateway import Gateway
from tasks.ids import Ids
from tasks.ledger import keys
from tasks.ledger.predictions.settlement import Settled
from tasks.ledger.watcher import Watcher
from telemetry.errors import ModelError
from tests.integration.ledger.ledger_harness import (
    GENEROUS,
    PREDICTION,
    RECEIPT,
    TTL,
    Room,
    full,
    offer,
)


@pytest.mark.parametrize("started", [False, True])
def test_the_first_outcome_stands_whoever_comes_late(room: Room, started) -> None:
    ((tag, _),) = batch = room.reserve("a")
    record = room.ledger.record("a")
    if started:
        room.ledger.start(batch)
    first, late = record.succeeded([7], RECEIPT), record.failed(ModelError("late"))

    assert room.ledger.settle("churn:3", [Settled(first, tag)]) == 1
    assert room.ledger.settle("churn:3", [Settled(late, tag)]) == 0

    assert room.ledger.record("a") == first
    (statistics,) = room.ledger.statistics()
    assert statistics.rows == 1
    assert statistics.outcomes == {"succeeded": 1, "failed": 0, "cancelled": 0, "expired": 0}


def test_settling_a_batch_drops_its_messages_and_counts_each_outcome(room: Room) -> None:
    batch = room.reserve("a", "b", "c")
    room.ledger.start(batch)
    a, b, c = (room.ledger.record(task_id) for _, task_id in batch)
    outcomes = a.succeeded([7], RECEIPT), b.failed(ModelError("no")), c.expired()

    settled = [Settled(outcome, tag) for outcome, (tag, _) in zip(outcomes, batch, strict=True)]
    assert room.ledger.settle("churn:3", settled) == 3

    assert room.ledger.depths(("predict",)) == ({"predict": 0}, 0)
    assert not room.client.exists(keys.ATTEMPTS, keys.DUE)
    assert all(0 < room.client.ttl(keys.record(task_id)) <= TTL for _, task_id in batch)
    (statistics,) = room.ledger.statistics()
    assert statistics.outcomes == {"succeeded": 1, "failed": 1, "cancelled": 0, "expired": 1}
    assert sum(statistics.histogram) == 3


@pytest.mark.parametrize(("left", "state"), [(30, "queued"), (-1, "expired")])
@pytest.mark.parametrize("ahead", [-20, 0, 60])
def test_a_look_up_expires_by_the_clock_of_redis_alone(
    room: Room, monkeypatch: pytest.MonkeyPatch, left: float, state: str, ahead: float
) -> None:
    """However wrong the clock of the host that looks it up."""
    deadline = room.ledger.now() + left
    waiting = msgspec.structs.replace(PREDICTION, queue_deadline=deadline)
    room.ledger.accept(offer("a", waiting))
    gateway = Gateway(room.ledger, Watcher(room.client), Ids(b"key"), room.settings)
    now = time.time
    monkeypatch.setattr("tasks.record.time.time", lambda: now() + ahead)
    if ahead < 0 and left < 0:  # this host does not suspect it yet, and may not decide it
        room.ledger.expire(room.ledger.record("a"))
    assert gateway.look_up("a").state == state


def test_statistics_are_found_without_a_walk_over_the_records(room: Room) -> None:
    (held,) = room.reserve("a")
    room.ledger.settle(
        "churn:3", [Settled(room.ledger.record("a").succeeded([7], RECEIPT), held[0])]
    )
    room.client.config_resetstat()
    assert len(room.ledger.statistics()) == 1
    assert not {"cmdstat_scan", "cmdstat_keys"} & room.client.info("commandstats").keys()


def test_a_full_redis_lets_workers_start_and_settle(room: Room) -> None:
    batch = room.reserve("a", "b")
    records = [room.ledger.record(task_id) for _, task_id in batch]
    with full(room.client):
        assert room.ledger.start(batch) == [1, 1]
        answers = zip(records, batch, strict=True)
        settled = [Settled(r.succeeded([7], RECEIPT), tag) for r, (tag, _) in answers]
        assert room.ledger.settle("churn:3", settled) == 2
    assert {room.ledger.record(task_id).state for _, task_id in batch} == {"succeeded"}


def test_settling_wakes_who_waits_with_the_record_itself(room: Room) -> None:
    room.accept("a")
    listener = room.client.pubsub()
    listener.subscribe(keys.record("a"))
    assert listener.get_message(timeout=5)["type"] == "subscribe"

    room.ledger.settle("churn:3", [Settled(room.ledger.record("a").cancelled())])

    published = listener.get_message(timeout=5)["data"]
    assert published == room.client.get(keys.record("a"))


def test_a_batch_costs_three_round_trips_whatever_its_size(room: Room) -> None:
    """Reserve, start, settle: scripts, by their hash."""
    ids = [f"{number}" for number in range(10)]
    warm = room.reserve("warm")
    room.ledger.start(warm)
    room.ledger.settle("churn:3", [Settled(room.ledger.record("warm").expired(), warm[0][0])])
    for task_id in ids:
        room.accept(task_id)
    records = [room.ledger.record(task_id) for task_id in ids]
    room.client.config_resetstat()

    taken = room.reservations.reserve("predict", 256, *GENEROUS)
    batch = [(tag, task_id) for (tag, _), task_id in zip(taken, ids, strict=True)]
    room.ledger.start(batch)
    answers = zip(records, batch, strict=True)
    room.ledger.settle(
        "churn:3", [Settled(r.succeeded([7], RECEIPT), tag) for r, (tag, _) in answers]
    )

    asked = room.client.info("commandstats")
    assert asked["cmdstat_evalsha"]["calls"] == 3
    assert {"cmdstat_eval", "cmdstat_script|load", "cmdstat_script"}.isdisjoint(asked)
    inside = sum(command["calls"] for command in asked.values())
    assert inside <= 10 * 6 + 30, "six commands a prediction, and so many a batch"
