"""Accepting predictions: bounds, repetition and idempotency keys."""

import msgspec
import pytest
import redis

from tasks.ledger import keys
from tasks.messages import Idempotency
from tasks.record import Record
from telemetry.errors import IdempotencyConflict, QueueFull
from tests.integration.ledger.ledger_harness import (
    GENEROUS,
    PREDICTION,
    TTL,
    LedgerHarness,
    full,
    message,
)


def test_accepting_writes_the_record_and_pushes_the_message(harness: LedgerHarness) -> None:
    harness.accept("a")

    queued = Record.queued("a", PREDICTION)
    assert harness.ledger.record("a") == msgspec.structs.replace(queued, number=1)
    assert harness.client.lrange("predict", 0, -1) == [message("a")]
    assert harness.client.ttl(keys.record("a")) == -1, "a queued record never expires by itself"


def test_accepting_twice_pushes_once(harness: LedgerHarness) -> None:
    harness.accept("a")
    harness.accept("a")

    assert harness.queued() == 1


def test_queue_full_of_rows_refuses_without_a_trace(harness: LedgerHarness) -> None:
    for number in range(10):
        harness.accept(f"{number}")

    with pytest.raises(QueueFull):
        harness.accept("b")

    assert harness.ledger.record("b") is None
    assert harness.queued() == 10


def test_queue_full_of_bytes_refuses(client) -> None:
    size = len(message("a"))
    narrow = LedgerHarness(client, max_queued_bytes=2 * size + 1)
    narrow.accept("a")
    narrow.accept("b")

    with pytest.raises(QueueFull):
        narrow.accept("c")


@pytest.mark.parametrize(
    ("bound", "most", "own"), [("rows", 500_000, 1), ("bytes", 2**30, len(message("b")))]
)
def test_queue_is_full_at_the_first_default_bound(
    client: redis.Redis, bound: str, most: int, own: int
) -> None:
    harness = LedgerHarness(client)
    harness.accept("a")
    client.hset(f"{keys.QUEUED}predict", bound, most - own)

    harness.accept("b")  # the queue is full now

    with pytest.raises(QueueFull):
        harness.accept("c")
    (other,) = {"rows", "bytes"} - {bound}
    assert int(client.hget(f"{keys.QUEUED}predict", other) or 0) < 2000, "which is far from full"


@pytest.mark.parametrize("bound", ["rows", "bytes"])
def test_refused_submission_takes_no_capacity(client: redis.Redis, bound: str) -> None:
    size = len(message("a"))
    narrow = {"rows": {"max_queued": 1}, "bytes": {"max_queued_bytes": size + 1}}
    harness = LedgerHarness(client, **narrow[bound])
    harness.accept("a")
    counts = client.hgetall(f"{keys.QUEUED}predict")

    for number in range(5):
        with pytest.raises(QueueFull):
            harness.accept(f"{number}")

    assert client.hgetall(f"{keys.QUEUED}predict") == counts
    harness.take(1)
    assert harness.accept("b") == "b"


def test_reserved_or_purged_messages_free_capacity(harness: LedgerHarness) -> None:
    for number in range(10):
        harness.accept(f"{number}")
    harness.reservations.reserve("predict", 3, *GENEROUS)
    for number in range(3):
        harness.accept(f"again {number}")
    with pytest.raises(QueueFull):
        harness.accept("b")

    harness.client.delete("predict")

    assert harness.accept("b") == "b"


def test_idempotency_key_gives_the_same_id_and_pushes_nothing(harness: LedgerHarness) -> None:
    key = Idempotency("k", "payload")

    assert [harness.accept("a", key=key), harness.accept("b", key=key)] == ["a", "a"]

    assert harness.ledger.record("b") is None
    assert harness.queued() == 1
    assert 0 < harness.client.ttl(keys.IDEMPOTENCY + "k") <= TTL


def test_idempotency_key_with_another_payload_conflicts(harness: LedgerHarness) -> None:
    harness.accept("a", key=Idempotency("k", "one"))

    with pytest.raises(IdempotencyConflict):
        harness.accept("b", key=Idempotency("k", "two"))

    assert harness.ledger.record("b") is None


def test_idempotency_key_of_a_refused_submission_stays_free(client) -> None:
    key = Idempotency("k", "payload")
    with pytest.raises(QueueFull):
        LedgerHarness(client, max_queued=0).accept("a", key=key)

    assert LedgerHarness(client).accept("b", key=key) == "b"


def test_full_redis_refuses_though_its_queue_is_empty(harness: LedgerHarness) -> None:
    with full(harness.client), pytest.raises(redis.ResponseError, match="maxmemory"):
        harness.accept("a")

    assert not harness.client.exists(keys.record("a"), "predict")
