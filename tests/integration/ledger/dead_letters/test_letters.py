"""Dead letters in the ledger: kept whole, found, bounded."""

import json

import msgspec
import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.dead_letters import letters
from tasks.ledger.dead_letters.letters import Filter, Letter
from tasks.ledger.predictions.settlement import Settled
from telemetry.errors import (
    ModelError,
    WorkerLost,
)
from tests.integration.ledger.dead_letters.dead_letter_harness import LettersRoom
from tests.integration.ledger.ledger_harness import GENEROUS, full


@pytest.fixture
def room(client: redis.Redis) -> LettersRoom:
    return LettersRoom(client)


def test_what_failed_its_attempts_is_kept_with_its_outcome(room: LettersRoom) -> None:
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


def test_what_fails_otherwise_or_has_its_outcome_leaves_none(room: LettersRoom) -> None:
    room.accept("a")
    ((tag, _),) = room.take()
    record = room.ledger.record("a")
    room.ledger.settle("churn:3", [Settled(record.failed(ModelError()), tag)])
    room.accept("b")
    ((tag, _),) = room.take()
    record = room.ledger.record("b")
    room.ledger.settle("churn:3", [Settled(record.cancelled())])
    room.ledger.settle("churn:3", [Settled(record.failed(WorkerLost()), tag, dead_after=4)])

    assert room.ids() == []
    assert room.ledger.record("b").state == "cancelled"


def test_who_lost_the_reservation_says_nothing(room: LettersRoom) -> None:
    """Another has the message now, and keeps it if it fails there too."""
    room.accept("a")
    ((tag, _),) = room.take()
    room.reservations.release([tag])
    room.reservations.upkeep([])
    dead = Settled(room.ledger.record("a").failed(WorkerLost()), tag, dead_after=4)

    assert room.ledger.settle("churn:3", [dead]) == 0
    assert room.ledger.record("a").state == "queued"
    assert room.client.llen("predict") == 1


@pytest.mark.parametrize("message", [b"first", b"\xff\x00 not UTF-8", b'{"headers": 7}', b"[]"])
def test_what_nobody_can_read_is_kept_whole(room: LettersRoom, message: bytes) -> None:
    letter = room.put_aside(message)

    assert letter.content == message
    assert (letter.id, letter.model, letter.attempts) == ("predict:1", "", 0)
    assert (letter.code, letter.reason) == ("malformed", "nobody can read it")
    assert not room.client.exists(keys.RESERVED, keys.DUE)
    room.burial.put_aside("predict:1", "it is gone by now")
    room.burial.bury("predict:1", message, "and this, too")
    assert room.ids() == ["predict:1"]


def test_what_cannot_be_read_but_for_its_id_fails_under_it(room: LettersRoom) -> None:
    letter = room.put_aside(b'{"headers": {"id": "stock", "batch": "churn:3 predict"}}')

    assert (letter.id, letter.model) == ("stock", "churn:3")
    outcome = room.ledger.record("stock")
    assert (outcome.state, outcome.error.code) == ("failed", "malformed")
    assert room.client.ttl(keys.record("stock")) > 0


def test_the_outcome_of_another_message_stands(room: LettersRoom) -> None:
    room.accept("a")
    ((tag, _),) = room.take()
    done = room.ledger.record("a").cancelled()
    room.ledger.settle("churn:3", [Settled(done, tag)])

    room.put_aside(b'{"headers": {"id": "a"}}')

    assert room.ledger.record("a") == done


@pytest.mark.parametrize("given", ["a/b", "ö", "x" * 500, "a b", "..\n"])
def test_an_id_that_no_path_can_hold_names_no_letter(room: LettersRoom, given: str) -> None:
    letter = room.put_aside(json.dumps({"headers": {"id": given}}).encode())

    assert letter.id == "predict:1"
    assert room.ledger.record(given).state == "failed"


def test_two_unreadable_messages_under_one_id_are_both_kept(room: LettersRoom) -> None:
    room.put_aside(b'{"headers": {"id": "a"}, "n": 1}')
    room.put_aside(b'{"headers": {"id": "a"}, "n": 2}')

    assert sorted(room.ids()) == ["a", "predict:2"]


def test_filters(room: LettersRoom) -> None:
    room.fail("a")
    room.fail("b", "iris")
    room.fail("c", error=WorkerLost())

    def found(**which: str) -> set[str]:
        return {letter.id for letter in room.letters.find(Filter(**which))}

    assert found(model="churn") == found(model="churn:3") == {"a", "c"}
    assert found(code="artifact_mismatch") == {"a", "b"}
    assert found(model="churn", code="worker_lost", queue="predict") == {"c"}
    assert found(model="churn:4") == found(queue="bulk") == set()


def test_more_letters_than_one_read_takes(room: LettersRoom) -> None:
    for number in range(250):
        room.put_aside(b"%d" % number)

    assert room.ids() == [f"predict:{number}" for number in range(250, 0, -1)]
    assert room.letters.delete(room.ids()[:240]) == 240
    assert room.letters.totals() == msgspec.convert(
        {"kept": 10, "bytes": room.letters.totals().bytes, "buried": 250, "dropped": 0},
        type(room.letters.totals()),
    )


def test_a_list_leaves_the_messages_where_they_are(
    room: LettersRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be as long as all of Redis, and who lists them would hold them all."""
    monkeypatch.setattr(letters, "BYTES_PER_ROUND_TRIP", 5_000)
    filling = b"x" * 2_000
    room.fail("a", "iris")
    room.put_aside(b'{"headers": {"id": "b"}, ",\\"message\\":": "' + filling + b'"}')
    room.put_aside(b"\xff" + filling)
    read: list[list[bytes]] = []
    list_ = room.letters._list
    room.letters._list = lambda **given: read.append(list_(**given)) or read[-1]

    found = list(room.letters.find(Filter()))

    assert [letter.id for letter in found] == ["predict:3", "b", "a"]
    assert len(read) == 2, "no more bytes at once"
    assert all(b"xxx" not in text for texts in read for text in texts)
    for letter in found:
        whole = msgspec.structs.asdict(room.letters.show(letter.id))
        assert msgspec.structs.asdict(letter) == {f: whole[f] for f in Letter.__struct_fields__}


@pytest.mark.parametrize(
    "bounds", [{"max_dead_letters": 3}, {"max_dead_letter_bytes": 1000}], ids=str
)
def test_the_oldest_go_when_there_are_too_many(client: redis.Redis, bounds) -> None:
    room = LettersRoom(client, **bounds)
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
    room = LettersRoom(client, max_dead_letter_bytes=1000)
    room.put_aside(b"%500d" % 1)
    client.delete(keys.DEAD_LETTERS, keys.DEAD_LETTER_TIMES)
    room.put_aside(b"%500d" % 2)
    room.put_aside(b"3")

    assert room.ids()[0] == "predict:3"


def test_a_full_redis_lets_workers_bury(room: LettersRoom) -> None:
    room.accept("a")
    room.client.lpush("predict", "unreadable")
    (one, _), (other, message) = room.reservations.reserve("predict", 2, *GENEROUS)
    dead = Settled(room.ledger.record("a").failed(WorkerLost()), one, dead_after=4)
    with full(room.client):
        room.ledger.settle("churn:3", [dead])
        room.burial.bury(other, message, "no")
    assert sorted(room.ids()) == ["a", other]
