"""Many predictions in one call of the script: each is accepted or refused by itself."""

import asyncio
from collections.abc import Sequence

import pytest
import redis
from msgspec.structs import replace

from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Pauses
from tasks.ledger.predictions.acceptance import Offer
from tasks.messages import Idempotency
from telemetry.errors import IdempotencyConflict, PredictqError, QueueFull, VersionPaused
from tests.integration.ledger.ledger_harness import PREDICTION, LedgerHarness, full, message, offer


def accepted(harness: LedgerHarness, *offers: Offer) -> Sequence[str | PredictqError]:
    return asyncio.run(harness.ledger.accept_all_async(offers))


def test_bulk_acceptance_writes_each_record_and_pushes_in_order(harness: LedgerHarness) -> None:
    harness.accept("before")
    assert accepted(harness, offer("a"), offer("b")) == ["a", "b"]

    assert harness.client.lrange("predict", 0, -1) == [
        message("b"),
        message("a"),
        message("before"),
    ]
    numbers = [harness.ledger.record(task_id).number for task_id in ("before", "a", "b")]
    assert numbers == [1, 2, 3]
    assert harness.client.hget(f"{keys.QUEUED}predict", "rows") == b"3"


def test_bulk_acceptance_refuses_only_what_does_not_fit(harness: LedgerHarness) -> None:
    many = [offer(f"{number}") for number in range(12)]
    *first, eleventh, twelfth = accepted(harness, *many)

    assert first == [f"{number}" for number in range(10)]
    assert isinstance(eleventh, QueueFull)
    assert isinstance(twelfth, QueueFull)
    assert harness.ledger.record("10") is None
    assert harness.queued() == 10


def test_bulk_acceptance_repeated_pushes_nothing_twice(harness: LedgerHarness) -> None:
    """As after a broken connection: the first call got through, and so some ids are known."""
    accepted(harness, offer("a"))
    assert accepted(harness, offer("a"), offer("b"), offer("a")) == ["a", "b", "a"]
    assert harness.queued() == 2


def test_bulk_acceptance_knows_the_keys_of_lines(harness: LedgerHarness) -> None:
    one, two, other = Idempotency("k\n1", "f"), Idempotency("k\n2", "f"), Idempotency("k\n2", "g")
    accepted(harness, offer("a", key=one), offer("b", key=two))

    again = accepted(harness, offer("c", key=one), offer("d", key=other))

    assert again[0] == "a"
    assert isinstance(again[1], IdempotencyConflict)
    assert harness.queued() == 2


def test_bulk_acceptance_repeated_on_a_full_redis_knows_its_keys(harness: LedgerHarness) -> None:
    key = Idempotency("k\n1", "f")
    accepted(harness, offer("a", key=key))
    harness.take()
    with full(harness.client):
        assert accepted(harness, offer("b", key=key)) == ["a"]


def test_bulk_acceptance_on_a_full_redis_accepts_none(harness: LedgerHarness) -> None:
    with full(harness.client), pytest.raises(redis.ResponseError, match="maxmemory"):
        accepted(harness, offer("a"), offer("b"))
    assert harness.queued() == 0


def test_bulk_acceptance_refuses_paused_versions_alone(harness: LedgerHarness) -> None:
    Pauses(harness.client).pause("churn:3", "a bad deploy")
    other = replace(PREDICTION, version=4)
    answers = accepted(harness, offer("a"), offer("b", other), offer("c"))

    assert isinstance(answers[0], VersionPaused)
    assert answers[1] == "b"
    assert isinstance(answers[2], VersionPaused)


def test_records_are_read_within_a_budget(harness: LedgerHarness) -> None:
    accepted(harness, *(offer(task_id) for task_id in "abc"))
    harness.client.lpush(keys.record("list"), 1)

    def read(most: int, *ids: str) -> list[str | None]:
        found = asyncio.run(harness.ledger.records_async(ids, most))
        return [record and record.task_id for record in found]

    assert read(10**6, "a", "none", "list", "c") == ["a", None, None, "c"]
    size = harness.client.strlen(keys.record("a"))
    assert read(2 * size, "a", "b", "c") == ["a", "b"]
    assert read(1, "a", "b") == ["a"], "the first one in any case"


def test_states_are_read_without_records(harness: LedgerHarness) -> None:
    accepted(harness, offer("a"))
    harness.client.set(keys.record("b"), '{"status":"SUCCESS","state":"succeeded"}')
    ids = ["a", "b", "none"]
    assert asyncio.run(harness.ledger.states(ids)) == ["queued", "succeeded", None]
