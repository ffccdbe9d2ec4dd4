"""Predictions with one answer key in flight: one is computed, the others join it."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from tasks.gateway import Gateway
from tasks.ids import Ids
from tasks.ledger import keys
from tasks.ledger.predictions.acceptance import Accepted, Reused
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.script_constants import MAX_JOINED, MAX_JOINED_BYTES
from telemetry.errors import ModelError, PredictqError, WorkerLost
from tests.integration.ledger.ledger_harness import (
    TTL,
    LedgerHarness,
    offer,
)
from tests.integration.ledger.reuse.reusing import asked, reuse_of, settle, state


def test_identical_predictions_in_flight_are_computed_once(harness) -> None:
    for task_id in "abc":
        assert harness.ledger.accept(asked(task_id, created_at=harness.ledger.now())) == task_id
    assert harness.queued() == 1
    assert state(harness, *"abc") == ["queued"] * 3

    assert settle(harness) == ["a"]

    assert state(harness, *"abc") == ["succeeded"] * 3
    record = harness.ledger.record("b")
    assert (record.result, record.task_id, record.receipt.cached) == ([7], "b", True)
    assert 0 <= record.receipt.queue_ms < 60_000
    assert 0 < harness.client.ttl(keys.record("b")) <= TTL
    assert not harness.client.exists(keys.LEADERS, keys.JOINED + "a")
    assert reuse_of(harness) == {"misses": 1, "joined": 2}
    (statistics,) = harness.ledger.statistics()
    assert statistics.outcomes["succeeded"] == 1, "which counts computations"


def test_duplicates_in_one_call_are_computed_once(harness) -> None:
    answers: Sequence[Accepted | PredictqError] = asyncio.run(
        harness.ledger.accept_all_async([asked("a"), offer("x"), asked("b")])
    )
    assert answers == ["a", "x", "b"]
    assert settle(harness) == ["a", "x"]
    assert state(harness, "a", "x", "b") == ["succeeded"] * 3


def test_joined_prediction_is_published_and_an_event(harness) -> None:
    harness.client.set(keys.FOLLOWED, 1)
    harness.ledger.accept(asked("a"))
    harness.ledger.accept(asked("b"))
    with harness.client.pubsub() as heard:
        heard.subscribe(keys.record("b"))
        heard.get_message(timeout=5)
        settle(harness)
        published = heard.get_message(timeout=5)
    assert json.loads(published["data"])["state"] == "succeeded"
    assert isinstance(harness.ledger.accept(asked("c")), Reused)
    events = [fields[b"id"] for _, fields in harness.client.xrange(keys.EVENTS)]
    assert events == [b"a", b"b", b"c"]


def _cancel(harness: LedgerHarness, batch: list[tuple[str, str]]) -> None:
    Gateway(harness.ledger, Ids(b"key"), harness.settings).cancel("a")


def _fail(harness: LedgerHarness, batch: list[tuple[str, str]]) -> None:
    failed = harness.ledger.record("a").failed(ModelError("no"), 1)
    harness.ledger.settle("churn:3", [Settled(failed, batch[0][0])])


def _poison(harness: LedgerHarness, batch: list[tuple[str, str]]) -> None:
    failed = harness.ledger.record("a").failed(WorkerLost(), 4)
    harness.ledger.settle("churn:3", [Settled(failed, batch[0][0], 4)])


def _expire(harness: LedgerHarness, batch: list[tuple[str, str]]) -> None:
    harness.ledger.settle("churn:3", [Settled(harness.ledger.record("a").expired(), batch[0][0])])


@pytest.mark.parametrize("end", [_cancel, _fail, _poison, _expire])
def test_end_of_the_leader_fails_no_other(harness, end) -> None:
    for task_id in "abc":
        harness.ledger.accept(asked(task_id))
    batch = harness.take()
    harness.ledger.start(batch)

    end(harness, batch)

    assert state(harness, "b", "c") == ["queued", "queued"]
    assert reuse_of(harness) == {"misses": 3}
    assert sorted(settle(harness)) == ["b", "c"]
    assert state(harness, "b", "c") == ["succeeded", "succeeded"]
    assert int(harness.client.hget(f"{keys.QUEUED}predict", "rows")) == 0


def test_next_prediction_after_a_failure_leads(harness) -> None:
    harness.ledger.accept(asked("a"))
    _fail(harness, harness.take())
    harness.ledger.accept(asked("b"))
    assert settle(harness) == ["b"]
    assert isinstance(harness.ledger.accept(asked("c")), Reused)


def test_joined_prediction_is_cancelled_by_itself(harness) -> None:
    for task_id in "abc":
        harness.ledger.accept(asked(task_id))
    Gateway(harness.ledger, Ids(b"key"), harness.settings).cancel("b")
    settle(harness)
    assert state(harness, *"abc") == ["succeeded", "cancelled", "succeeded"]


def test_killed_worker_of_the_leader_changes_nothing(harness) -> None:
    for task_id in "ab":
        harness.ledger.accept(asked(task_id))
    harness.ledger.start(harness.take())
    harness.client.zadd(keys.DUE, dict.fromkeys(harness.client.hkeys(keys.RESERVED), 0))
    harness.reservations.upkeep([])
    assert settle(harness) == ["a"]
    assert state(harness, *"ab") == ["succeeded", "succeeded"]


def test_prediction_that_joined_long_ago_is_computed_itself(harness) -> None:
    """Its leader was purged, or settled by a worker of an older release."""
    for task_id in "ab":
        harness.ledger.accept(asked(task_id))
    harness.client.delete("predict")
    harness.reservations.upkeep([])
    assert harness.queued() == 0
    harness.client.zadd(keys.LEADERS, {"a": harness.ledger.now() - 601})
    harness.reservations.upkeep([])
    assert settle(harness) == ["b"]


def test_old_leader_is_not_joined(harness) -> None:
    harness.ledger.accept(asked("a"))
    harness.client.set(keys.ANSWERS + "k", f"a {harness.ledger.now() - 61}")
    harness.ledger.accept(asked("b"))
    harness.ledger.accept(asked("c"))
    assert settle(harness) == ["a", "b"]
    assert state(harness, *"abc") == ["succeeded"] * 3


def test_leader_is_joined_by_a_bounded_number(client) -> None:
    harness = LedgerHarness(client)
    for number in range(MAX_JOINED + 3):
        harness.ledger.accept(asked(f"{number}"))
    assert settle(harness) == ["0", f"{MAX_JOINED + 1}"]
    assert set(state(harness, *map(str, range(MAX_JOINED + 3)))) == {"succeeded"}


def test_long_message_does_not_join(client) -> None:
    harness = LedgerHarness(client)
    rows = [["x" * MAX_JOINED_BYTES]]
    for task_id in "ab":
        harness.ledger.accept(asked(task_id, features=rows))
    assert harness.queued() == 2
