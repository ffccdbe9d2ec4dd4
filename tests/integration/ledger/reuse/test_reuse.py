"""Predictions with one answer key: one is computed, the others have its answer."""

import asyncio
import json
from collections.abc import Sequence

import pytest
import redis
from msgspec import UNSET
from msgspec.structs import replace

from tasks.gateway import Gateway
from tasks.ids import Ids
from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Pauses
from tasks.ledger.predictions.acceptance import Accepted, Offer, Reused
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.script_constants import MAX_JOINED, MAX_JOINED_BYTES, MAX_REUSED_BYTES
from tasks.messages import Idempotency, Reuse
from tasks.record import Record
from telemetry.errors import ModelError, PredictqError, QueueFull, VersionPaused, WorkerLost
from tests.integration.ledger.ledger_harness import (
    PREDICTION,
    RECEIPT,
    TTL,
    LedgerHarness,
    full,
    offer,
)

LONG = 'a result":,"traceback":null of a label'
"""Texts in answers may look like the record itself."""


def asked(task_id: str, seconds: float = 30, key: str = "k", **changes: object) -> Offer:
    return replace(offer(task_id, replace(PREDICTION, **changes)), reuse=Reuse(key, seconds))


def state(harness: LedgerHarness, *ids: str) -> list[str]:
    records = [harness.ledger.record(task_id) for task_id in ids]
    return [record.state if record else "" for record in records]


def settle(harness: LedgerHarness, answer: object = 7, **receipt: object) -> list[str]:
    """Settle all that is queued with one answer; returns the ids."""
    batch = harness.take()
    if not batch:
        return []
    harness.ledger.start(batch)
    known = replace(RECEIPT, **receipt)
    outcomes = [
        Settled(harness.ledger.record(task_id).succeeded([answer], known), tag)
        for tag, task_id in batch
    ]
    harness.ledger.settle("churn:3", outcomes)
    return [task_id for _, task_id in batch]


def reuse_of(harness: LedgerHarness) -> dict[str, float]:
    found = harness.client.hgetall(keys.REUSE + "churn:3")
    return {name.decode(): float(value) for name, value in found.items()}


def test_later_prediction_has_the_answer_at_once_in_a_record_of_its_own(harness) -> None:
    harness.ledger.accept(asked("a", alias="blue"))
    settle(harness, {"label": LONG, "traceback": 1.0, "x": 1e-300}, alias="blue", queue_ms=5.0)

    accepted = harness.ledger.accept(asked("b", alias="green", created_at=1.9e9))

    assert isinstance(accepted, Reused)
    record, first = harness.ledger.record("b"), harness.ledger.record("a")
    assert record == replace(
        first,
        task_id="b",
        alias="green",
        created_at=1.9e9,
        date_done=record.date_done,
        receipt=replace(RECEIPT, alias="green", queue_ms=0.0, cached=True),
    )
    assert record.date_done > first.date_done
    assert json.loads(accepted.text)["task_id"] == "b"
    assert harness.queued() == 0
    assert 0 < harness.client.ttl(keys.record("b")) <= TTL
    assert reuse_of(harness) == {
        "misses": 1,
        "hits": 1,
        "bytes": len(json.dumps(first.result, separators=(",", ":"))),
        "ms": RECEIPT.compute_ms,
    }


def test_first_receipt_does_not_say_cached(harness) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness)
    assert harness.ledger.record("a").receipt.cached is UNSET


@pytest.mark.parametrize("second", [offer("b"), asked("b", key="other")])
def test_prediction_that_may_not_reuse_it_is_computed(harness, second: Offer) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness)
    assert harness.ledger.accept(second) == "b"
    assert settle(harness) == ["b"]


@pytest.mark.parametrize(
    ("seconds", "cost", "age", "is_reused"),
    [
        (30, 0.0, 29, True),
        (30, 0.0, 31, False),
        (0, 0.1, 59, True),  # a minute at least
        (0, 0.1, 61, False),
        (0, 2.0, 119, True),  # a minute for each millisecond
        (0, 2.0, 121, False),
        (0, 1e6, 3599, True),
        (0, 1e6, 3601, False),  # an hour at most
    ],
)
def test_answer_is_reused_for_so_long(client, seconds, cost, age, is_reused) -> None:
    harness = LedgerHarness(client, result_ttl=7200)
    harness.ledger.accept(asked("a", seconds))
    settle(harness, compute_ms=cost)
    client.expire(keys.record("a"), 7200 - age)

    assert isinstance(harness.ledger.accept(asked("b", seconds)), Reused) is is_reused

    if not is_reused:  # it leads from now on
        settle(harness)
        assert isinstance(harness.ledger.accept(asked("c", seconds)), Reused)


def test_key_of_an_answer_expires(harness) -> None:
    harness.ledger.accept(asked("a", 5))
    assert 5 < harness.client.ttl(keys.ANSWERS + "k") <= 65


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


def test_long_answers_are_looked_up_longer_ones_computed(harness) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness, "x" * (MAX_REUSED_BYTES - 1000))
    accepted = harness.ledger.accept(asked("b"))
    assert accepted == Reused("b", b"")
    gateway = Gateway(harness.ledger, Ids(b"key"), harness.settings)
    prediction = replace(PREDICTION, reuse=Reuse("k", 30))
    assert gateway.submit(prediction).state == "succeeded"

    harness.ledger.accept(asked("c", key="longer"))
    harness.ledger.accept(asked("d", key="longer"))
    settle(harness, "x" * MAX_REUSED_BYTES)
    assert state(harness, "c", "d") == ["succeeded", "queued"], "which is too long to be copied"
    assert harness.ledger.accept(asked("e", key="longer")) == "e"
    assert settle(harness) == ["d", "e"]


@pytest.mark.parametrize("text", ["", "nothing", "ghost 1"])
def test_damaged_key_of_an_answer_is_no_answer(harness, text: str) -> None:
    harness.client.set(keys.ANSWERS + "k", text)
    harness.ledger.accept(asked("a"))
    assert settle(harness) == ["a"]


def test_outcome_of_another_form_is_no_answer(harness) -> None:
    """One that an older release wrote, or a stock producer chose the id of."""
    harness.client.set(keys.record("a"), '{"status":"SUCCESS","state":"succeeded","other":1}', 60)
    harness.client.set(keys.ANSWERS + "k", f"a {harness.ledger.now()}")
    harness.client.rpush(keys.record("l"), "a list")
    harness.client.set(keys.ANSWERS + "l", f"l {harness.ledger.now()}")
    assert harness.ledger.accept(asked("b")) == "b"
    assert harness.ledger.accept(asked("c", key="l")) == "c"


def test_answer_needs_no_capacity_and_no_running_version(client) -> None:
    LedgerHarness(client).ledger.accept(asked("a"))
    settle(LedgerHarness(client))
    Pauses(client).pause("churn:3", "by hand")
    narrow = LedgerHarness(client, max_queued=1)
    assert isinstance(narrow.ledger.accept(asked("b")), Reused)


def test_answer_is_not_given_while_redis_is_nearly_full(client) -> None:
    LedgerHarness(client).ledger.accept(asked("a"))
    settle(LedgerHarness(client))
    with pytest.raises(QueueFull):  # what the memory gauge makes of the bounds
        LedgerHarness(client, max_queued=0).ledger.accept(asked("c"))


def test_no_prediction_joins_while_the_version_is_paused(harness) -> None:
    harness.ledger.accept(asked("a"))
    Pauses(harness.client).pause("churn:3", "by hand")
    with pytest.raises(VersionPaused):
        harness.ledger.accept(asked("b"))


def test_full_redis_refuses_an_answer_without_a_trace(harness) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness)
    with full(harness.client), pytest.raises(redis.ResponseError, match="maxmemory"):
        harness.ledger.accept(asked("b"))
    assert harness.ledger.record("b") is None


def test_idempotency_key_of_a_reused_answer_is_kept(harness) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness)
    key = Idempotency("i", "payload")
    assert isinstance(harness.ledger.accept(replace(asked("b"), idempotency=key)), Reused)
    assert harness.ledger.accept(replace(asked("c"), idempotency=key)) == "b"


def test_call_that_is_repeated_gives_the_id_again(harness) -> None:
    harness.ledger.accept(asked("a"))
    harness.ledger.accept(asked("b"))
    assert harness.ledger.accept(asked("b")) == "b"
    settle(harness)
    assert harness.ledger.accept(asked("b")) == "b"
    assert state(harness, "b") == ["succeeded"]


def test_gateway_gives_the_outcome_of_a_reused_answer(harness) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness)
    gateway = Gateway(harness.ledger, Ids(b"key"), harness.settings)
    prediction = replace(PREDICTION, reuse=Reuse("k", 30))
    record: Record = gateway.submit(prediction)
    assert (record.state, record.result) == ("succeeded", [7])
    assert gateway.look_up(record.task_id) == record
    again = asyncio.run(gateway.accept_async(gateway.offer(prediction)))
    assert (again.result, again.task_id != record.task_id) == ([7], True)
