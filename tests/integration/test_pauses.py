"""Pausing in the ledger: what opens and closes it, and what is parked comes back in order."""

import itertools
import json
import time

import msgspec
import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.acceptance import Offer
from tasks.ledger.ledger import Ledger
from tasks.ledger.pauses import Pauses
from tasks.ledger.reservations import Reservations
from tasks.ledger.settlement import Settled
from tasks.messages import Idempotency, Prediction, envelope
from tasks.record import Receipt, Record
from tasks.settings import Settings
from telemetry.errors import ArtifactMismatch, ModelError, PredictqError, VersionPaused, WorkerLost
from tests.stack import until

SETTINGS = Settings(
    home="/none", redis_url="", breaker_failures=3, dead_letters_per_minute=1000, probe_after=0.2
)
RECEIPT = Receipt(
    model="churn",
    version=3,
    sha256="0" * 64,
    alias=None,
    attempt=1,
    queue_ms=1.0,
    compute_ms=1.0,
    batch_size=1,
    runtime="none",
)
DAMAGED = ArtifactMismatch("it is damaged")


class Room:
    """One ledger, and all that works on it."""

    def __init__(self, client: redis.Redis, **changes: float) -> None:
        self.client = client
        settings = msgspec.structs.replace(SETTINGS, **changes)
        self.ledger = Ledger(client, settings)
        self.reservations = Reservations(client, 30)
        self.pauses = Pauses(client)
        self.numbers = itertools.count(1)

    def accept(self, version: int = 3, key: Idempotency | None = None) -> str:
        prediction = Prediction(
            model="churn",
            version=version,
            alias=None,
            method="predict",
            features=[[1.0]],
            created_at=1.8e9,
        )
        task_id = f"{next(self.numbers)}"
        message = envelope("t", task_id, "predict", prediction)
        record = Record.queued(task_id, prediction)
        return self.ledger.accept(Offer("predict", record, message, 1, key))

    def take(self, most: int = 100) -> list[tuple[str, str]]:
        """Reserve: tag and id of each."""
        taken = self.reservations.reserve("predict", most, 1000, 10**6)
        return [(tag, json.loads(message)["headers"]["id"]) for tag, message in taken]

    def taken(self) -> list[str]:
        return [task_id for _, task_id in self.take()]

    def fail(self, batch: list[tuple[str, str]], error: PredictqError = DAMAGED) -> int:
        self.ledger.start(batch)
        dead_after = 1 if error.infrastructure else 0
        return self.settle(
            Settled(self.ledger.record(task_id).failed(error), tag, dead_after)
            for tag, task_id in batch
        )

    def succeed(self, batch: list[tuple[str, str]]) -> int:
        self.ledger.start(batch)
        return self.settle(
            Settled(self.ledger.record(task_id).succeeded([7], RECEIPT), tag)
            for tag, task_id in batch
        )

    def settle(self, outcomes) -> int:
        return self.ledger.settle("churn:3", list(outcomes))

    def fail_one(self, error: PredictqError = DAMAGED) -> None:
        self.accept()
        self.fail(self.take(1), error)

    def paused(self):
        found = self.pauses.all()
        assert len(found) <= 1
        return found[0] if found else None

    def open(self) -> None:
        """Pause it by failures."""
        while not self.paused():
            self.fail_one()

    def probe(self) -> tuple[str, str]:
        """Wait until a submission is let through, and take it."""

        def let_through() -> bool:
            try:
                return bool(self.accept())
            except VersionPaused:
                return False

        until(let_through, "a probe", 5)
        (probe,) = self.take()
        return probe

    def parked(self) -> list[str]:
        messages = self.client.lrange(keys.PARKED + "churn:3", 0, -1)
        return [json.loads(message)["headers"]["id"] for message in reversed(messages)]


@pytest.fixture
def room(client: redis.Redis) -> Room:
    client.flushall()
    return Room(client)


def test_failures_in_a_row_pause_a_version(room: Room) -> None:
    for _ in range(2):
        room.fail_one()
    assert not room.paused()

    room.fail_one()

    paused = room.paused()
    assert (paused.model, paused.trigger, paused.code) == (
        "churn:3",
        "failures",
        "artifact_mismatch",
    )
    assert "3 failures" in paused.reason
    assert "it is damaged" in paused.reason
    assert paused.since < paused.probe_at
    with pytest.raises(VersionPaused, match="churn:3 is paused: 3 failures") as refused:
        room.accept()
    assert refused.value.extra["retry_after"] == 1
    assert room.accept(version=4), "others go on"


def test_success_in_between_keeps_it_open(room: Room) -> None:
    for _ in range(4):
        room.fail_one()
        room.fail_one()
        room.accept()
        room.succeed(room.take())
    assert not room.paused()


def test_bad_input_and_errors_of_the_model_do_not_count(room: Room) -> None:
    for _ in range(20):
        room.fail_one(ModelError("no"))
    assert not room.paused()
    assert not room.client.exists(keys.TROUBLES + "churn:3")


def test_dead_letters_within_a_minute_pause_it_whatever_succeeds(client: redis.Redis) -> None:
    client.flushall()
    room = Room(client, dead_letters_per_minute=4)
    for number in range(5):
        assert not room.paused(), number
        room.fail_one(WorkerLost())
        if not room.paused():
            room.accept()
            room.succeed(room.take())

    assert (room.paused().trigger, room.paused().code) == ("dead_letters", "worker_lost")
    assert "5 dead letters" in room.paused().reason


def test_what_happened_more_than_a_minute_ago_is_forgotten(room: Room) -> None:
    room.fail_one()
    room.fail_one()
    room.client.hset(keys.TROUBLES + "churn:3", "since", time.time() - 61)

    room.fail_one()

    assert not room.paused()


def test_a_refused_submission_leaves_no_trace(room: Room) -> None:
    room.open()
    before = room.client.keys()

    key = Idempotency("k", "payload")
    with pytest.raises(VersionPaused):
        room.accept(key=key)

    assert sorted(room.client.keys()) == sorted(before)
    room.pauses.resume("churn:3")
    assert room.accept(key=key)


def test_what_is_queued_is_parked_at_reservation_and_comes_back_in_order(room: Room) -> None:
    ours = [room.accept() for _ in range(5)]
    others = [room.accept(version=4) for _ in range(2)]
    room.pauses.pause("churn:3", "a test")

    assert room.taken() == others
    assert room.parked() == ours
    assert room.paused().parked == 5
    assert room.ledger.depths(("predict",))[0] == {"predict": 0}
    assert room.client.hmget("predictq:queued:predict", "rows", "bytes") == [b"0", b"0"]

    later = room.accept(version=4)
    assert room.pauses.resume("churn:3")

    assert room.client.hget("predictq:queued:predict", "rows") == b"6"
    assert room.taken() == [*ours, later]
    assert not room.client.exists(keys.PARKED + "churn:3", keys.PAUSED)


def test_more_than_is_parked_in_one_go(room: Room) -> None:
    ours = [room.accept() for _ in range(2500)]
    room.pauses.pause("churn:3", "a test")
    assert [room.taken() for _ in range(3)] == [[], [], []]
    assert room.parked() == ours
    room.pauses.resume("churn:3")
    assert [room.taken() for _ in range(25)] == [ours[n : n + 100] for n in range(0, 2500, 100)]


def test_messages_of_others_are_not_held_back(room: Room) -> None:
    """Stock producers do not say the version where scripts look."""
    room.pauses.pause("churn:3", "a test")
    room.client.lpush("predict", json.dumps({"headers": {"id": "stock"}, "body": ""}))
    assert room.taken() == ["stock"]


def test_no_probe_ends_what_an_operator_began(room: Room) -> None:
    room.open()
    assert not room.pauses.pause("churn:3", "until Monday"), "it was paused before"

    assert room.paused().trigger == "operator"
    assert room.paused().probe_at is None
    with pytest.raises(VersionPaused, match="until Monday"):
        room.accept()


def test_resuming_what_is_not_paused_changes_nothing(room: Room) -> None:
    assert not room.pauses.resume("churn:3")


def test_a_submission_is_the_probe_where_nothing_is_parked(room: Room) -> None:
    room.open()

    probe = room.probe()

    with pytest.raises(VersionPaused):  # one at a time
        room.accept()
    room.succeed([probe])
    assert not room.paused()
    assert room.accept()


@pytest.fixture
def parked(room: Room) -> list[str]:
    """Ids that are parked, since the version failed after they were queued."""
    guilty = [room.accept() for _ in range(3)]
    waiting = [room.accept() for _ in range(4)]
    assert room.fail(room.take(3)) == len(guilty)
    assert room.paused()
    assert room.taken() == []
    assert room.parked() == waiting
    return waiting


def next_probe(room: Room) -> tuple[str, str]:
    """What the upkeep of any worker lets through."""
    until(lambda: room.reservations.upkeep([]) or room.client.llen("predict"), "a probe", 5)
    (probe,) = room.take()
    return probe


def test_the_oldest_parked_message_is_the_probe(room: Room, parked: list[str]) -> None:
    probe = next_probe(room)

    assert probe[1] == parked[0]
    assert room.parked() == parked[1:]
    with pytest.raises(VersionPaused):
        room.accept()
    room.succeed([probe])
    assert not room.paused()
    assert room.taken() == parked[1:]


def test_each_failure_of_a_probe_doubles_the_wait(room: Room, parked: list[str]) -> None:
    waits = []
    for expected in parked:
        probe = next_probe(room)
        assert probe[1] == expected
        before = time.time()
        room.fail([probe])
        waits.append(room.paused().probe_at - before)
        assert "the probe failed" in room.paused().reason
    assert waits == pytest.approx([0.4, 0.8, 1.6, 3.2], abs=0.1)


def test_the_wait_has_a_bound(client: redis.Redis) -> None:
    client.flushall()
    room = Room(client, probe_after=200)
    room.open()
    entry = json.loads(client.hget(keys.PAUSED, "churn:3"))
    client.hset(keys.PAUSED, "churn:3", json.dumps(entry | {"probe_at": 1}))
    room.fail([room.probe()])
    assert room.paused().probe_at - time.time() == pytest.approx(300, abs=5)


def test_an_error_of_the_model_shows_that_it_computes(room: Room, parked: list[str]) -> None:
    room.fail([next_probe(room)], ModelError("no"))
    assert not room.paused()


def test_a_cancelled_probe_says_nothing_and_another_goes(room: Room, parked: list[str]) -> None:
    tag, task_id = next_probe(room)
    room.settle([Settled(room.ledger.record(task_id).cancelled(), tag)])
    assert room.paused()
    assert next_probe(room)[1] == parked[1]


def test_what_was_cancelled_while_it_was_parked_is_no_probe(room: Room, parked: list[str]) -> None:
    room.settle([Settled(room.ledger.record(parked[0]).cancelled())])
    assert next_probe(room)[1] == parked[1]


def test_another_probe_goes_where_one_was_lost(room: Room, parked: list[str]) -> None:
    next_probe(room)
    entry = json.loads(room.client.hget(keys.PAUSED, "churn:3"))
    assert entry["probe_at"] - time.time() == pytest.approx(60, abs=5)
    room.client.hset(keys.PAUSED, "churn:3", json.dumps(entry | {"probe_at": 1}))
    assert next_probe(room)[1] == parked[1]


def test_a_probe_of_a_dead_worker_is_still_the_probe(room: Room, parked: list[str]) -> None:
    tag, task_id = next_probe(room)
    room.reservations.release([tag])
    assert next_probe(room)[1] == task_id


def test_only_the_probe_decides(room: Room) -> None:
    early = [room.accept() for _ in range(2)]
    batch = room.take()
    room.open()
    room.succeed(batch)
    assert {room.ledger.record(task_id).state for task_id in early} == {"succeeded"}
    assert room.paused()


def test_what_fails_after_the_pause_began_waits_with_the_others(room: Room) -> None:
    """A batch as large as can be costs no more than the limit."""
    ids = [room.accept() for _ in range(10)]

    assert room.fail(room.take()) == 3

    states = [room.ledger.record(task_id).state for task_id in ids]
    assert states == ["failed"] * 3 + ["queued"] * 7
    assert room.parked() == ids[3:]
    assert room.client.hlen(keys.DEAD_LETTERS) == 3
    assert room.ledger.depths(("predict",)) == ({"predict": 0}, 0)
    room.succeed([next_probe(room)])
    assert room.taken() == ids[4:]


def test_what_has_used_up_its_attempts_fails_all_the_same(room: Room) -> None:
    for _ in range(10):
        room.accept()
    assert room.fail(room.take(), WorkerLost()) == 10


def test_a_version_that_is_soon_paused_again_waits_longer(room: Room) -> None:
    room.open()
    room.succeed([room.probe()])
    room.open()
    assert room.paused().probe_at - time.time() == pytest.approx(0.4, abs=0.1)


def test_a_full_redis_lets_a_pause_end(room: Room, parked: list[str]) -> None:
    probe = next_probe(room)
    room.client.config_set("maxmemory", 1)
    try:
        room.succeed([probe])
    finally:
        room.client.config_set("maxmemory", 0)
    assert room.taken() == parked[1:]
