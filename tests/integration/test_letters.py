"""Dead letters in the ledger: kept whole, bounded, replayed under the caller's id."""

import json

import msgspec
import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.acceptance import Offer
from tasks.ledger.burying import Burial
from tasks.ledger.ledger import Ledger
from tasks.ledger.letters import DeadLetters, Filter, WholeLetter
from tasks.ledger.reservations import Reservations
from tasks.ledger.settlement import Settled
from tasks.messages import Prediction, envelope
from tasks.record import Record
from tasks.replaying import Replays
from tasks.settings import Settings
from telemetry.errors import (
    ArtifactMismatch,
    DeadLetterNotFound,
    ModelError,
    OutcomeStands,
    QueueFull,
    WorkerLost,
)

SETTINGS = Settings(home="/none", redis_url="", breaker_failures=1000, dead_letters_per_minute=1000)
ANY = Filter()


class Room:
    """One ledger, and all that works on it; ``settings`` may be replaced."""

    def __init__(self, client: redis.Redis, settings: Settings = SETTINGS) -> None:
        self.client = client
        self.ledger = Ledger(client, settings)
        self.reservations = Reservations(client, 30)
        self.burial = Burial(client, settings)
        self.letters = DeadLetters(client, settings)
        self.replays = Replays(self.ledger, self.letters)

    def accept(self, task_id: str, model: str = "churn") -> bytes:
        prediction = Prediction(
            model=model,
            version=3,
            alias=None,
            method="predict",
            features=[[1.0]],
            created_at=1.8e9,
        )
        message = envelope("t", task_id, "predict", prediction)
        record = Record.queued(task_id, prediction)
        self.ledger.accept(Offer("predict", record, message, 1))
        return message

    def take(self) -> tuple[str, bytes]:
        ((taken),) = self.reservations.reserve("predict", 1, 1000, 10**6)
        return taken

    def fail(self, task_id: str, model: str = "churn", error: Exception | None = None) -> bytes:
        """Accept one and let it fail its attempts; gives its message."""
        message = self.accept(task_id, model)
        tag, _ = self.take()
        self.ledger.start([(tag, task_id)])
        outcome = self.ledger.record(task_id).failed(error or ArtifactMismatch("it is damaged"))
        assert self.ledger.settle(f"{model}:3", [Settled(outcome, tag, dead_after=2)]) == 1
        return message

    def put_aside(self, message: bytes) -> WholeLetter:
        self.client.lpush("predict", message)
        tag, _ = self.take()
        self.burial.bury(tag, message, "nobody can read it")
        return self.letters.show(self.ids()[0])

    def ids(self) -> list[str]:
        return [letter.id for letter in self.letters.find(ANY)]


@pytest.fixture
def room(client: redis.Redis) -> Room:
    client.flushall()
    return Room(client)


def test_what_failed_its_attempts_is_kept_with_its_outcome(room: Room) -> None:
    message = room.fail("a")

    letter = room.letters.show("a")
    assert letter.content == message
    told = msgspec.structs.asdict(letter)
    assert (
        told.items()
        >= {
            "queue": "predict",
            "model": "churn:3",
            "code": "artifact_mismatch",
            "reason": "it is damaged",
            "attempts": 2,
            "accepted_at": 1.8e9,
        }.items()
    )
    assert room.ledger.record("a").state == "failed"
    assert not room.client.exists(keys.RESERVED, keys.DUE, keys.ATTEMPTS)
    assert json.loads(room.client.hget(keys.DEAD_LETTERS, "a"))["died_at"] == letter.died_at


def test_what_fails_otherwise_or_has_its_outcome_leaves_none(room: Room) -> None:
    room.accept("a")
    tag, _ = room.take()
    record = room.ledger.record("a")
    room.ledger.settle("churn:3", [Settled(record.failed(ModelError()), tag)])
    room.accept("b")
    tag, _ = room.take()
    record = room.ledger.record("b")
    room.ledger.settle("churn:3", [Settled(record.cancelled())])
    room.ledger.settle("churn:3", [Settled(record.failed(WorkerLost()), tag, dead_after=4)])

    assert room.ids() == []
    assert room.ledger.record("b").state == "cancelled"


def test_who_lost_the_reservation_says_nothing(room: Room) -> None:
    """Another has the message now, and keeps it if it fails there too."""
    room.accept("a")
    tag, _ = room.take()
    room.reservations.release([tag])
    room.reservations.upkeep([])
    dead = Settled(room.ledger.record("a").failed(WorkerLost()), tag, dead_after=4)

    assert room.ledger.settle("churn:3", [dead]) == 0
    assert room.ledger.record("a").state == "queued"
    assert room.client.llen("predict") == 1


@pytest.mark.parametrize("message", [b"first", b"\xff\x00 not UTF-8", b'{"headers": 7}', b"[]"])
def test_what_nobody_can_read_is_kept_whole(room: Room, message: bytes) -> None:
    letter = room.put_aside(message)

    assert letter.content == message
    assert (letter.id, letter.model, letter.attempts) == ("predict:1", "", 0)
    assert (letter.code, letter.reason) == ("malformed", "nobody can read it")
    assert not room.client.exists(keys.RESERVED, keys.DUE)
    room.burial.put_aside("predict:1", "it is gone by now")
    room.burial.bury("predict:1", message, "and this, too")
    assert room.ids() == ["predict:1"]


def test_what_cannot_be_read_but_for_its_id_fails_under_it(room: Room) -> None:
    letter = room.put_aside(b'{"headers": {"id": "stock", "batch": "churn:3 predict"}}')

    assert (letter.id, letter.model) == ("stock", "churn:3")
    outcome = room.ledger.record("stock")
    assert (outcome.state, outcome.error.code) == ("failed", "malformed")
    assert room.client.ttl(keys.record("stock")) > 0


def test_the_outcome_of_another_message_stands(room: Room) -> None:
    room.accept("a")
    tag, _ = room.take()
    done = room.ledger.record("a").cancelled()
    room.ledger.settle("churn:3", [Settled(done, tag)])

    room.put_aside(b'{"headers": {"id": "a"}}')

    assert room.ledger.record("a") == done


@pytest.mark.parametrize("given", ["a/b", "ö", "x" * 500, "a b", "..\n"])
def test_an_id_that_no_path_can_hold_names_no_letter(room: Room, given: str) -> None:
    letter = room.put_aside(json.dumps({"headers": {"id": given}}).encode())

    assert letter.id == "predict:1"
    assert room.ledger.record(given).state == "failed"


def test_two_unreadable_messages_under_one_id_are_both_kept(room: Room) -> None:
    room.put_aside(b'{"headers": {"id": "a"}, "n": 1}')
    room.put_aside(b'{"headers": {"id": "a"}, "n": 2}')

    assert sorted(room.ids()) == ["a", "predict:2"]


def test_replaying_queues_it_under_the_same_id(room: Room) -> None:
    message = room.fail("a")

    assert room.replays.replay("a") == "a"

    record = room.ledger.record("a")
    assert (record.state, record.status, record.error) == ("queued", "PENDING", None)
    assert room.client.ttl(keys.record("a")) == -1
    assert room.client.lrange("predict", 0, -1) == [message]
    assert room.client.hget("predictq:queued:predict", "rows") == b"1"
    assert room.ids() == []
    assert room.letters.totals().bytes == 0
    tag, _ = room.take()
    assert room.ledger.start([(tag, "a")]) == [1], "with all its attempts"


def test_a_letter_is_replayed_once(room: Room) -> None:
    room.fail("a")
    room.replays.replay("a")

    with pytest.raises(DeadLetterNotFound):
        room.replays.replay("a")

    assert room.client.llen("predict") == 1


def test_only_a_failure_is_reopened(room: Room) -> None:
    room.fail("a")
    room.accept("b")
    room.client.copy(keys.record("b"), keys.record("a"), replace=True)

    with pytest.raises(OutcomeStands):
        room.replays.replay("a")

    assert room.ids() == ["a"]


def test_a_letter_outlives_its_outcome(room: Room) -> None:
    room.fail("a")
    room.client.delete(keys.record("a"))

    room.replays.replay("a")

    record = room.ledger.record("a")
    assert (record.state, record.reference, record.created_at) == ("queued", "churn:3", 1.8e9)


def test_a_replay_does_not_overfill_the_queue(client: redis.Redis) -> None:
    client.flushall()
    room = Room(client, msgspec.structs.replace(SETTINGS, max_queued=1))
    room.fail("a")
    room.fail("b")
    room.accept("c")

    replayed, refused = room.replays.replay_all(["a", "b"])

    assert (replayed, [refusal.code for refusal in refused]) == ([], ["queue_full"])
    with pytest.raises(QueueFull):
        room.replays.replay("b")
    assert sorted(room.ids()) == ["a", "b"]


def test_a_replayed_message_has_no_deadline_any_more(room: Room) -> None:
    letter = {"headers": {"id": "a", "expires": "2020-01-01T00:00:00+00:00"}, "body": "[]"}
    room.put_aside(json.dumps(letter).encode())

    room.replays.replay("a")

    (message,) = room.client.lrange("predict", 0, -1)
    assert json.loads(message)["headers"] == {"id": "a", "expires": None}


def test_what_nobody_can_read_is_replayed_as_it_is(room: Room) -> None:
    room.put_aside(b"\xff")

    assert room.replays.replay("predict:1") is None
    assert room.client.lrange("predict", 0, -1) == [b"\xff"]


def test_filters(room: Room) -> None:
    room.fail("a")
    room.fail("b", "iris")
    room.fail("c", error=WorkerLost())

    def found(**which: str) -> set[str]:
        return {letter.id for letter in room.letters.find(Filter(**which))}

    assert found(model="churn") == found(model="churn:3") == {"a", "c"}
    assert found(code="artifact_mismatch") == {"a", "b"}
    assert found(model="churn", code="worker_lost", queue="predict") == {"c"}
    assert found(model="churn:4") == found(queue="bulk") == set()


def test_more_letters_than_one_read_takes(room: Room) -> None:
    for number in range(250):
        room.put_aside(b"%d" % number)

    assert room.ids() == [f"predict:{number}" for number in range(250, 0, -1)]
    assert room.letters.delete(room.ids()[:240]) == 240
    assert room.letters.totals() == msgspec.convert(
        {"kept": 10, "bytes": room.letters.totals().bytes, "buried": 250, "dropped": 0},
        type(room.letters.totals()),
    )


@pytest.mark.parametrize(
    "bounds", [{"max_dead_letters": 3}, {"max_dead_letter_bytes": 1000}], ids=str
)
def test_the_oldest_go_when_there_are_too_many(client: redis.Redis, bounds) -> None:
    client.flushall()
    room = Room(client, msgspec.structs.replace(SETTINGS, **bounds))
    for number in range(8):
        room.put_aside(b"%200d" % number)
    room.fail("last")

    totals = room.letters.totals()
    assert 0 < totals.kept <= 4
    assert room.ids()[0] == "last"
    assert totals.buried == 9
    assert totals.dropped == 9 - totals.kept
    kept = client.hgetall(keys.DEAD_LETTERS)
    assert totals.bytes == sum(map(len, kept.values())) <= bounds.get("max_dead_letter_bytes", 9e9)


def test_letters_that_somebody_deleted_by_hand_do_not_count_for_ever(client: redis.Redis) -> None:
    client.flushall()
    room = Room(client, msgspec.structs.replace(SETTINGS, max_dead_letter_bytes=1000))
    room.put_aside(b"%500d" % 1)
    client.delete(keys.DEAD_LETTERS, keys.DEAD_LETTER_TIMES)
    room.put_aside(b"%500d" % 2)
    room.put_aside(b"3")

    assert room.ids()[0] == "predict:3"


def test_a_full_redis_lets_workers_bury(room: Room) -> None:
    room.accept("a")
    room.client.lpush("predict", "unreadable")
    (one, _), (other, message) = room.reservations.reserve("predict", 2, 1000, 10**6)
    dead = Settled(room.ledger.record("a").failed(WorkerLost()), one, dead_after=4)
    room.client.config_set("maxmemory", 1)
    try:
        room.ledger.settle("churn:3", [dead])
        room.burial.bury(other, message, "no")
    finally:
        room.client.config_set("maxmemory", 0)
    assert sorted(room.ids()) == ["a", other]
