"""Settlement: the first outcome stands, is counted once and wakes waiting callers."""

import time

import msgspec
import pytest

from tasks.gateway import Gateway
from tasks.ids import Ids
from tasks.ledger import keys
from tasks.ledger.predictions.settled import Settled
from tasks.record import Record
from telemetry.errors import ModelError
from tests.integration.ledger.ledger_harness import (
    GENEROUS,
    PREDICTION,
    RECEIPT,
    TTL,
    LedgerHarness,
    full,
    offer,
)


@pytest.mark.parametrize("started", [False, True])
def test_first_outcome_stands_against_later_settlements(harness: LedgerHarness, started) -> None:
    ((tag, _),) = batch = harness.reserve("a")
    record = harness.ledger.record("a")
    if started:
        harness.ledger.start(batch)
    first, late = record.succeeded([7], RECEIPT), record.failed(ModelError("late"))

    assert harness.ledger.settle("churn:3", [Settled(first, tag)]) == 1
    assert harness.ledger.settle("churn:3", [Settled(late, tag)]) == 0

    assert harness.ledger.record("a") == first
    (statistics,) = harness.ledger.statistics()
    assert statistics.rows == 1
    assert statistics.outcomes == {"succeeded": 1, "failed": 0, "cancelled": 0, "expired": 0}


def test_settling_a_batch_drops_its_messages_and_counts_each_outcome(
    harness: LedgerHarness,
) -> None:
    batch = harness.reserve("a", "b", "c")
    harness.ledger.start(batch)
    a, b, c = (harness.ledger.record(task_id) for _, task_id in batch)
    outcomes = a.succeeded([7], RECEIPT), b.failed(ModelError("no")), c.expired()

    settled = [Settled(outcome, tag) for outcome, (tag, _) in zip(outcomes, batch, strict=True)]
    assert harness.ledger.settle("churn:3", settled) == 3

    assert harness.ledger.depths(("predict",)) == ({"predict": 0}, 0)
    assert not harness.client.exists(keys.ATTEMPTS, keys.DUE)
    assert all(0 < harness.client.ttl(keys.record(task_id)) <= TTL for _, task_id in batch)
    (statistics,) = harness.ledger.statistics()
    assert statistics.outcomes == {"succeeded": 1, "failed": 1, "cancelled": 0, "expired": 1}
    assert sum(statistics.histogram) == 3


@pytest.mark.parametrize(("left", "state"), [(30, "queued"), (-1, "expired")])
@pytest.mark.parametrize("ahead", [-20, 0, 60])
def test_look_up_expires_by_the_clock_of_redis(
    harness: LedgerHarness, monkeypatch: pytest.MonkeyPatch, left: float, state: str, ahead: float
) -> None:
    """The clock of the host that looks it up may be wrong."""
    deadline = harness.ledger.now() + left
    waiting = msgspec.structs.replace(PREDICTION, queue_deadline=deadline)
    harness.ledger.accept(offer("a", waiting))
    gateway = Gateway(harness.ledger, Ids(b"key"), harness.settings)
    now = time.time
    monkeypatch.setattr("tasks.record.time.time", lambda: now() + ahead)
    if ahead < 0 and left < 0:  # not expired by this host's clock, which does not decide
        harness.ledger.expire(harness.ledger.record("a"))
    assert gateway.look_up("a").state == state


def test_statistics_are_found_without_a_walk_over_the_records(harness: LedgerHarness) -> None:
    (held,) = harness.reserve("a")
    harness.ledger.settle(
        "churn:3", [Settled(harness.ledger.record("a").succeeded([7], RECEIPT), held[0])]
    )
    harness.client.config_resetstat()
    assert len(harness.ledger.statistics()) == 1
    assert not {"cmdstat_scan", "cmdstat_keys"} & harness.client.info("commandstats").keys()


def test_full_redis_lets_workers_start_and_settle(harness: LedgerHarness) -> None:
    batch = harness.reserve("a", "b")
    records = [harness.ledger.record(task_id) for _, task_id in batch]
    with full(harness.client):
        assert harness.ledger.start(batch) == [1, 1]
        answers = zip(records, batch, strict=True)
        settled = [Settled(r.succeeded([7], RECEIPT), tag) for r, (tag, _) in answers]
        assert harness.ledger.settle("churn:3", settled) == 2
    assert {harness.ledger.record(task_id).state for _, task_id in batch} == {"succeeded"}


def test_settling_sends_the_record_to_waiting_callers(harness: LedgerHarness) -> None:
    harness.accept("a")
    listener = harness.client.pubsub()
    listener.subscribe(keys.record("a"))
    assert listener.get_message(timeout=5)["type"] == "subscribe"

    harness.ledger.settle("churn:3", [Settled(harness.ledger.record("a").cancelled())])

    published = listener.get_message(timeout=5)["data"]
    assert published == harness.client.get(keys.record("a"))


def test_microbatch_of_any_size_costs_three_round_trips(harness: LedgerHarness) -> None:
    """The scripts reserve, start and settle, called by their hash."""
    ids = [f"{number}" for number in range(10)]
    warm = harness.reserve("warm")
    harness.ledger.start(warm)
    harness.ledger.settle("churn:3", [Settled(harness.ledger.record("warm").expired(), warm[0][0])])
    for task_id in ids:
        harness.accept(task_id)
    records = [harness.ledger.record(task_id) for task_id in ids]
    harness.client.config_resetstat()

    taken = harness.reservations.reserve("predict", 256, *GENEROUS)
    batch = [(tag, task_id) for (tag, _), task_id in zip(taken, ids, strict=True)]
    harness.ledger.start(batch)
    answers = zip(records, batch, strict=True)
    harness.ledger.settle(
        "churn:3", [Settled(r.succeeded([7], RECEIPT), tag) for r, (tag, _) in answers]
    )

    asked = harness.client.info("commandstats")
    assert asked["cmdstat_evalsha"]["calls"] == 3
    assert {"cmdstat_eval", "cmdstat_script|load", "cmdstat_script"}.isdisjoint(asked)
    inside = sum(command["calls"] for command in asked.values())
    assert inside <= 10 * 6 + 30, "six commands a prediction, and so many a batch"


def test_outcome_of_ours_is_written_though_its_record_was_lost(harness: LedgerHarness) -> None:
    """Only an id older than outcomes live means that the outcome was forgotten."""
    task_id = Ids(b"key").new()
    lost = Record.queued(task_id, PREDICTION).succeeded([7], RECEIPT)
    assert harness.ledger.settle("churn:3", [Settled(lost)]) == 1
    assert harness.ledger.record(task_id) == lost


def test_settling_adds_up_the_seconds_since_acceptance(harness: LedgerHarness) -> None:
    for task_id, ago in (("a", 5), ("b", 20)):
        created = msgspec.structs.replace(PREDICTION, created_at=time.time() - ago)
        harness.ledger.accept(offer(task_id, created))
        record = harness.ledger.record(task_id)
        harness.ledger.settle("churn:3", [Settled(record.succeeded([7], RECEIPT))])
    (statistics,) = harness.ledger.statistics()
    assert statistics.seconds == pytest.approx(25, abs=5)
