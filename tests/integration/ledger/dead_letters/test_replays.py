"""Replays: a dead letter goes back to its queue under the caller's id, once."""

import json

import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from tasks.queue_estimate import outlook
from telemetry.errors import (
    DeadLetterNotFound,
    OutcomeConflict,
    QueueFull,
)
from tests.integration.ledger.dead_letters.dead_letter_harness import LettersRoom


@pytest.fixture
def room(client: redis.Redis) -> LettersRoom:
    return LettersRoom(client)


def test_replaying_queues_it_under_the_same_id(room: LettersRoom) -> None:
    message = room.fail("a")

    assert room.replays.replay("a") == "a"

    record = room.ledger.record("a")
    assert (record.state, record.status, record.error) == ("queued", "PENDING", None)
    assert room.client.ttl(keys.record("a")) == -1
    assert room.client.lrange("predict", 0, -1) == [message]
    assert room.client.hget("predictq:queued:predict", "rows") == b"1"
    assert room.ids() == []
    assert room.letters.totals().bytes == 0
    ((tag, _),) = room.take()
    assert room.ledger.start([(tag, "a")]) == [1], "with all its attempts"


def test_a_replayed_one_stands_behind_those_that_wait(room: LettersRoom) -> None:
    room.fail("a")
    for task_id in "bcd":
        room.accept(task_id)
    room.take(1)

    room.replays.replay("a")

    now = QueueSnapshots(room.client).of("predict")
    numbers = [room.ledger.record(task_id).number for task_id in "cda"]
    assert [outlook("churn:3", n, now).queue_position for n in numbers] == [1, 2, 3]


def test_a_letter_is_replayed_once_and_who_asks_again_is_told_so(room: LettersRoom) -> None:
    room.fail("a")
    nameless = room.put_aside(b"\xff").id
    for _ in range(2):
        assert room.replays.replay("a") == "a"
        assert room.replays.replay(nameless) is None
        assert room.replays.replay_all(["a"]) == (["a"], [])

    assert room.client.llen("predict") == 2
    assert 0 < room.client.ttl("predictq:replayed:a") <= 3600
    with pytest.raises(DeadLetterNotFound):
        room.replays.replay("b")


def test_what_failed_again_is_replayed_again(room: LettersRoom) -> None:
    for _ in range(2):
        room.fail("a")
        assert room.replays.replay("a") == "a"
        assert room.ids() == []
        room.client.delete("predict", keys.record("a"))


def test_only_a_failure_is_reopened(room: LettersRoom) -> None:
    room.fail("a")
    room.accept("b")
    room.client.copy(keys.record("b"), keys.record("a"), replace=True)

    with pytest.raises(OutcomeConflict):
        room.replays.replay("a")

    assert room.ids() == ["a"]


def test_a_letter_outlives_its_outcome(room: LettersRoom) -> None:
    room.fail("a")
    room.client.delete(keys.record("a"))

    room.replays.replay("a")

    record = room.ledger.record("a")
    assert (record.state, record.reference, record.created_at) == ("queued", "churn:3", 1.8e9)


def test_a_replay_does_not_overfill_the_queue(client: redis.Redis) -> None:
    room = LettersRoom(client, max_queued=1)
    room.fail("a")
    room.fail("b")
    room.accept("c")

    replayed, refused = room.replays.replay_all(["a", "b"])

    assert (replayed, [refusal.code for refusal in refused]) == ([], ["queue_full"])
    with pytest.raises(QueueFull):
        room.replays.replay("b")
    assert sorted(room.ids()) == ["a", "b"]


def test_a_replayed_message_has_no_deadline_any_more(room: LettersRoom) -> None:
    letter = {"headers": {"id": "a", "expires": "2020-01-01T00:00:00+00:00"}, "body": "[]"}
    room.put_aside(json.dumps(letter).encode())

    room.replays.replay("a")

    (message,) = room.client.lrange("predict", 0, -1)
    assert json.loads(message)["headers"] == {"id": "a", "expires": None}


def test_what_nobody_can_read_is_replayed_as_it_is(room: LettersRoom) -> None:
    room.put_aside(b"\xff")

    assert room.replays.replay("predict:1") is None
    assert room.client.lrange("predict", 0, -1) == [b"\xff"]
