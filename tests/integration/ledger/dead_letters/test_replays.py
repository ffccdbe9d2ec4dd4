"""Replays: a dead letter returns to its queue under its own id, once."""

import json

import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.queue.queue_estimate import estimate
from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from telemetry.errors import (
    DeadLetterNotFound,
    OutcomeConflict,
    QueueFull,
)
from tests.integration.ledger.dead_letters.dead_letter_harness import LettersHarness
from tests.integration.ledger.ledger_harness import full


@pytest.fixture
def harness(client: redis.Redis) -> LettersHarness:
    return LettersHarness(client)


def test_replay_queues_the_message_under_the_same_id(harness: LettersHarness) -> None:
    message = harness.fail("a")

    assert harness.replays.replay("a") == "a"

    record = harness.ledger.record("a")
    assert (record.state, record.status, record.error) == ("queued", "PENDING", None)
    assert harness.client.ttl(keys.record("a")) == -1
    assert harness.client.lrange("predict", 0, -1) == [message]
    counts = harness.client.hmget("predictq:queued:predict", "rows", "bytes")
    assert counts == [b"1", str(len(message)).encode()]
    assert harness.ids() == []
    assert harness.letters.totals().bytes == 0
    ((tag, _),) = harness.take()
    assert harness.ledger.start([(tag, "a")]) == [1], "with all its attempts"


def test_replay_goes_to_the_end_of_the_queue(harness: LettersHarness) -> None:
    harness.fail("a")
    for task_id in "bcd":
        harness.accept(task_id)
    harness.take(1)

    harness.replays.replay("a")

    now = QueueSnapshots(harness.client).of("predict")
    numbers = [harness.ledger.record(task_id).number for task_id in "cda"]
    assert [estimate("churn:3", n, now).queue_position for n in numbers] == [1, 2, 3]
    assert [task_id for _, task_id in harness.take()] == ["c", "d", "a"]


def test_replay_is_idempotent(harness: LettersHarness) -> None:
    harness.fail("a")
    nameless = harness.bury(b"\xff").id
    for _ in range(2):
        assert harness.replays.replay("a") == "a"
        assert harness.replays.replay(nameless) is None
        assert harness.replays.replay_all(["a"]) == (["a"], [])

    assert harness.client.llen("predict") == 2
    assert 0 < harness.client.ttl("predictq:replayed:a") <= 3600
    with pytest.raises(DeadLetterNotFound):
        harness.replays.replay("b")


def test_replay_of_a_prediction_that_failed_again(harness: LettersHarness) -> None:
    for _ in range(2):
        harness.fail("a")
        assert harness.replays.replay("a") == "a"
        assert harness.ids() == []
        harness.client.delete("predict", keys.record("a"))


def test_replay_reopens_only_a_failure(harness: LettersHarness) -> None:
    harness.fail("a")
    harness.accept("b")
    harness.client.copy(keys.record("b"), keys.record("a"), replace=True)

    with pytest.raises(OutcomeConflict):
        harness.replays.replay("a")

    assert harness.ids() == ["a"]


def test_dead_letter_outlives_its_outcome(harness: LettersHarness) -> None:
    harness.fail("a")
    harness.client.delete(keys.record("a"))

    harness.replays.replay("a")

    record = harness.ledger.record("a")
    assert (record.state, record.reference, record.created_at) == ("queued", "churn:3", 1.8e9)


def test_replay_does_not_overfill_the_queue(client: redis.Redis) -> None:
    harness = LettersHarness(client, max_queued=1)
    harness.fail("a")
    harness.fail("b")
    harness.accept("c")

    replayed, refused = harness.replays.replay_all(["a", "b"])

    assert (replayed, [refusal.code for refusal in refused]) == ([], ["queue_full"])
    with pytest.raises(QueueFull):
        harness.replays.replay("b")
    assert sorted(harness.ids()) == ["a", "b"]


def test_replay_is_refused_by_a_full_redis(harness: LettersHarness) -> None:
    harness.fail("a")
    with full(harness.client), pytest.raises(redis.ResponseError, match="maxmemory"):
        harness.replays.replay("a")
    assert harness.client.llen("predict") == 0
    assert harness.ids() == ["a"]


def test_replay_removes_the_queue_deadline(harness: LettersHarness) -> None:
    letter = {"headers": {"id": "a", "expires": "2020-01-01T00:00:00+00:00"}, "body": "[]"}
    harness.bury(json.dumps(letter).encode())

    harness.replays.replay("a")

    (message,) = harness.client.lrange("predict", 0, -1)
    assert json.loads(message)["headers"] == {"id": "a", "expires": None}


def test_replay_of_an_unreadable_message(harness: LettersHarness) -> None:
    harness.bury(b"\xff")

    assert harness.replays.replay("predict:1") is None
    assert harness.client.lrange("predict", 0, -1) == [b"\xff"]


def test_replay_leaves_a_later_letter_of_the_same_id(harness: LettersHarness) -> None:
    message = harness.fail("a")
    letter = harness.letters.show("a")
    harness.client.zadd(keys.DEAD_LETTER_TIMES, {"a": letter.died_at + 1})
    bounds = harness.ledger.bounds
    assert harness.letters.replay(letter, message, None, bounds) == "gone"
    assert harness.ids() == ["a"]


@pytest.mark.parametrize("bound", ["rows", "bytes"])
def test_replay_fills_a_queue_up_to_its_bound(client: redis.Redis, bound: str) -> None:
    message = LettersHarness(client).fail("a")
    bounds = {"rows": {"max_queued": 2}, "bytes": {"max_queued_bytes": 2 * len(message)}}
    harness = LettersHarness(client, **bounds[bound])
    for task_id in "bc":
        harness.fail(task_id)
    assert [harness.replays.replay(task_id) for task_id in "ab"] == ["a", "b"]
    with pytest.raises(QueueFull):
        harness.replays.replay("c")


def test_replay_counts_nothing_of_a_queue_that_was_purged(client: redis.Redis) -> None:
    harness = LettersHarness(client, max_queued=1)
    harness.fail("a")
    client.hset(f"{keys.QUEUED}predict", mapping={"rows": 7, "bytes": 7000})
    assert harness.replays.replay("a") == "a"
