"""Accepting a prediction: bounded, safe to repeat, under a key of the caller's."""

import msgspec
import pytest
import redis

from tasks.ledger import keys
from tasks.messages import Idempotency
from tasks.record import Record
from telemetry.errors import IdempotencyConflict, QueueFull
from tests.integration.ledger.ledger_harness import GENEROUS, PREDICTION, TTL, Room, full, message


def test_accepting_writes_the_record_and_pushes_the_message(room: Room) -> None:
    room.accept("a")

    queued = Record.queued("a", PREDICTION)
    assert room.ledger.record("a") == msgspec.structs.replace(queued, number=1)
    assert room.client.lrange("predict", 0, -1) == [message("a")]
    assert room.client.ttl(keys.record("a")) == -1, "a queued record never expires by itself"


def test_accepting_twice_pushes_once(room: Room) -> None:
    room.accept("a")
    room.accept("a")

    assert room.queued() == 1


def test_a_queue_full_of_rows_refuses_and_leaves_no_trace(room: Room) -> None:
    for number in range(10):
        room.accept(f"{number}")

    with pytest.raises(QueueFull):
        room.accept("b")

    assert room.ledger.record("b") is None
    assert room.queued() == 10


def test_a_queue_full_of_bytes_refuses_too(client) -> None:
    size = len(message("a"))
    narrow = Room(client, max_queued_bytes=2 * size + 1)
    narrow.accept("a")
    narrow.accept("b")

    with pytest.raises(QueueFull):
        narrow.accept("c")


@pytest.mark.parametrize(
    ("bound", "most", "own"), [("rows", 500_000, 1), ("bytes", 2**30, len(message("b")))]
)
def test_by_default_it_is_full_at_whichever_bound_comes_first(
    client: redis.Redis, bound: str, most: int, own: int
) -> None:
    room = Room(client)
    room.accept("a")
    client.hset(f"{keys.QUEUED}predict", bound, most - own)

    room.accept("b")  # fills it to the brim

    with pytest.raises(QueueFull):
        room.accept("c")
    (other,) = {"rows", "bytes"} - {bound}
    assert int(client.hget(f"{keys.QUEUED}predict", other) or 0) < 2000, "which is far from full"


@pytest.mark.parametrize("bound", ["rows", "bytes"])
def test_what_was_refused_takes_no_room(client: redis.Redis, bound: str) -> None:
    size = len(message("a"))
    narrow = {"rows": {"max_queued": 1}, "bytes": {"max_queued_bytes": size + 1}}
    room = Room(client, **narrow[bound])
    room.accept("a")
    counts = client.hgetall(f"{keys.QUEUED}predict")

    for number in range(5):
        with pytest.raises(QueueFull):
            room.accept(f"{number}")

    assert client.hgetall(f"{keys.QUEUED}predict") == counts
    room.take(1)
    assert room.accept("b") == "b"


def test_what_was_reserved_or_purged_makes_room(room: Room) -> None:
    for number in range(10):
        room.accept(f"{number}")
    room.reservations.reserve("predict", 3, *GENEROUS)
    for number in range(3):
        room.accept(f"again {number}")
    with pytest.raises(QueueFull):
        room.accept("b")

    room.client.delete("predict")

    assert room.accept("b") == "b"


def test_a_known_key_gives_the_id_of_before_and_pushes_nothing(room: Room) -> None:
    key = Idempotency("k", "payload")

    assert [room.accept("a", key=key), room.accept("b", key=key)] == ["a", "a"]

    assert room.ledger.record("b") is None
    assert room.queued() == 1
    assert 0 < room.client.ttl(keys.IDEMPOTENCY + "k") <= TTL


def test_a_known_key_with_another_payload_is_a_conflict(room: Room) -> None:
    room.accept("a", key=Idempotency("k", "one"))

    with pytest.raises(IdempotencyConflict):
        room.accept("b", key=Idempotency("k", "two"))

    assert room.ledger.record("b") is None


def test_a_refused_submission_does_not_use_up_its_key(client) -> None:
    key = Idempotency("k", "payload")
    with pytest.raises(QueueFull):
        Room(client, max_queued=0).accept("a", key=key)

    assert Room(client).accept("b", key=key) == "b"


def test_a_full_redis_refuses_though_its_queue_is_empty(room: Room) -> None:
    with full(room.client), pytest.raises(redis.ResponseError, match="maxmemory"):
        room.accept("a")

    assert not room.client.exists(keys.record("a"), "predict")
