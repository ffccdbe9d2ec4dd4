"""Dead letters in the ledger: kept whole, listed, bounded."""

import json

import msgspec
import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.dead_letters import letters
from tasks.ledger.dead_letters.letters import Filter, Letter
from tasks.ledger.predictions.settled import Settled
from telemetry.errors import (
    ModelError,
    WorkerLost,
)
from tests.integration.ledger.dead_letters.dead_letter_harness import LettersHarness
from tests.integration.ledger.ledger_harness import GENEROUS, full


@pytest.fixture
def harness(client: redis.Redis) -> LettersHarness:
    return LettersHarness(client)


def test_dead_letter_is_kept_with_its_outcome(harness: LettersHarness) -> None:
    message = harness.fail("a")

    letter = harness.letters.show("a")
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
    assert harness.ledger.record("a").state == "failed"
    assert not harness.client.exists(keys.RESERVED, keys.DUE, keys.ATTEMPTS)
    assert json.loads(harness.client.hget(keys.DEAD_LETTERS, "a"))["died_at"] == letter.died_at


def test_dead_letters_exclude_model_errors_and_cancelled_predictions(
    harness: LettersHarness,
) -> None:
    harness.accept("a")
    ((tag, _),) = harness.take()
    record = harness.ledger.record("a")
    harness.ledger.settle("churn:3", [Settled(record.failed(ModelError()), tag)])
    harness.accept("b")
    ((tag, _),) = harness.take()
    record = harness.ledger.record("b")
    harness.ledger.settle("churn:3", [Settled(record.cancelled())])
    harness.ledger.settle("churn:3", [Settled(record.failed(WorkerLost()), tag, dead_after=4)])

    assert harness.ids() == []
    assert harness.ledger.record("b").state == "cancelled"


def test_settlement_without_the_reservation_is_ignored(harness: LettersHarness) -> None:
    """Another worker has the message now, and makes the dead letter if it fails there too."""
    harness.accept("a")
    ((tag, _),) = harness.take()
    harness.reservations.release([tag])
    harness.reservations.upkeep([])
    dead = Settled(harness.ledger.record("a").failed(WorkerLost()), tag, dead_after=4)

    assert harness.ledger.settle("churn:3", [dead]) == 0
    assert harness.ledger.statistics() == []
    assert harness.ledger.record("a").state == "queued"
    assert harness.client.llen("predict") == 1


@pytest.mark.parametrize("message", [b"first", b"\xff\x00 not UTF-8", b'{"headers": 7}', b"[]"])
def test_unreadable_message_is_kept_whole(harness: LettersHarness, message: bytes) -> None:
    letter = harness.bury(message)

    assert letter.content == message
    assert (letter.id, letter.model, letter.attempts) == ("predict:1", "", 0)
    assert (letter.code, letter.reason) == ("malformed", "nobody can read it")
    assert not harness.client.exists(keys.RESERVED, keys.DUE)
    harness.burial.bury_by_tag("predict:1", "it is gone by now")
    harness.burial.bury("predict:1", message, "and this, too")
    assert harness.ids() == ["predict:1"]


def test_unreadable_message_with_an_id_fails_under_it(harness: LettersHarness) -> None:
    letter = harness.bury(b'{"headers": {"id": "stock", "batch": "churn:3 predict"}}')

    assert (letter.id, letter.model) == ("stock", "churn:3")
    outcome = harness.ledger.record("stock")
    assert (outcome.state, outcome.error.code) == ("failed", "malformed")
    assert harness.client.ttl(keys.record("stock")) > 0


def test_dead_letter_keeps_the_outcome_of_another_message(harness: LettersHarness) -> None:
    harness.accept("a")
    ((tag, _),) = harness.take()
    done = harness.ledger.record("a").cancelled()
    harness.ledger.settle("churn:3", [Settled(done, tag)])

    harness.bury(b'{"headers": {"id": "a"}}')

    assert harness.ledger.record("a") == done


@pytest.mark.parametrize("given", ["a/b", "ö", "x" * 500, "a b", "..\n"])
def test_dead_letter_id_that_no_path_can_hold_is_replaced(
    harness: LettersHarness, given: str
) -> None:
    letter = harness.bury(json.dumps({"headers": {"id": given}}).encode())

    assert letter.id == "predict:1"
    assert harness.ledger.record(given).state == "failed"


def test_unreadable_messages_under_one_id_are_both_kept(harness: LettersHarness) -> None:
    harness.bury(b'{"headers": {"id": "a"}, "n": 1}')
    harness.bury(b'{"headers": {"id": "a"}, "n": 2}')

    assert sorted(harness.ids()) == ["a", "predict:2"]


def test_dead_letter_filters(harness: LettersHarness) -> None:
    harness.fail("a")
    harness.fail("b", "iris")
    harness.fail("c", error=WorkerLost())

    def found(**which: str) -> set[str]:
        return {letter.id for letter in harness.letters.find(Filter(**which))}

    assert found(model="churn") == found(model="churn:3") == {"a", "c"}
    assert found(code="artifact_mismatch") == {"a", "b"}
    assert found(model="churn", code="worker_lost", queue="predict") == {"c"}
    assert found(model="churn:4") == found(queue="bulk") == set()


def test_dead_letter_list_over_several_reads(harness: LettersHarness) -> None:
    for number in range(250):
        harness.bury(b"%d" % number)

    assert harness.ids() == [f"predict:{number}" for number in range(250, 0, -1)]
    assert harness.letters.delete(harness.ids()[:240]) == 240
    assert harness.letters.totals() == msgspec.convert(
        {"kept": 10, "bytes": harness.letters.totals().bytes, "buried": 250, "dropped": 0},
        type(harness.letters.totals()),
    )


def test_dead_letter_list_loads_no_messages(
    harness: LettersHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages may be large; a list that read them would hold them all in memory."""
    monkeypatch.setattr(letters, "BYTES_PER_ROUND_TRIP", 5_000)
    filling = b"x" * 2_000
    harness.fail("a", "iris")
    harness.bury(b'{"headers": {"id": "b"}, ",\\"message\\":": "' + filling + b'"}')
    harness.bury(b"\xff" + filling)
    read: list[list[bytes]] = []
    list_ = harness.letters._list
    harness.letters._list = lambda **given: read.append(list_(**given)) or read[-1]

    found = list(harness.letters.find(Filter()))

    assert [letter.id for letter in found] == ["predict:3", "b", "a"]
    assert len(read) == 2, "no more bytes at once"
    assert all(b"xxx" not in text for texts in read for text in texts)
    for letter in found:
        whole = msgspec.structs.asdict(harness.letters.show(letter.id))
        assert msgspec.structs.asdict(letter) == {f: whole[f] for f in Letter.__struct_fields__}


@pytest.mark.parametrize(
    "bounds", [{"max_dead_letters": 3}, {"max_dead_letter_bytes": 1000}], ids=str
)
def test_dead_letters_beyond_the_bound_drop_the_oldest(client: redis.Redis, bounds) -> None:
    harness = LettersHarness(client, **bounds)
    for number in range(8):
        harness.bury(b"%200d" % number)
    harness.fail("last")

    totals = harness.letters.totals()
    assert 0 < totals.kept <= 4
    assert harness.ids()[0] == "last"
    assert totals.buried == 9
    assert totals.dropped == 9 - totals.kept
    kept = client.hgetall(keys.DEAD_LETTERS)
    assert totals.bytes == sum(map(len, kept.values())) <= bounds.get("max_dead_letter_bytes", 9e9)


def test_dead_letters_deleted_by_hand_are_no_longer_counted(client: redis.Redis) -> None:
    harness = LettersHarness(client, max_dead_letter_bytes=1000)
    harness.bury(b"%500d" % 1)
    client.delete(keys.DEAD_LETTERS, keys.DEAD_LETTER_TIMES)
    harness.bury(b"%500d" % 2)
    harness.bury(b"3")

    assert harness.ids()[0] == "predict:3"


def test_full_redis_lets_workers_bury(harness: LettersHarness) -> None:
    harness.accept("a")
    harness.client.lpush("predict", "unreadable")
    (one, _), (other, message) = harness.reservations.reserve("predict", 2, *GENEROUS)
    dead = Settled(harness.ledger.record("a").failed(WorkerLost()), one, dead_after=4)
    with full(harness.client):
        harness.ledger.settle("churn:3", [dead])
        harness.burial.bury(other, message, "no")
    assert sorted(harness.ids()) == ["a", other]


def test_unreadable_message_leaves_no_attempts(harness: LettersHarness) -> None:
    harness.client.hset(keys.ATTEMPTS, "stock", "1")
    harness.bury(b'{"headers": {"id": "stock"}}')
    assert not harness.client.exists(keys.ATTEMPTS)


def test_as_many_dead_letters_as_may_be_kept_are_kept(client: redis.Redis) -> None:
    harness = LettersHarness(client)
    for number in range(3):
        harness.bury(b"%d" % number)
    size = harness.letters.totals().bytes
    client.flushall()
    harness = LettersHarness(client, max_dead_letters=3, max_dead_letter_bytes=size)
    for number in range(3):
        harness.bury(b"%d" % number)
    assert (harness.letters.totals().kept, harness.letters.totals().dropped) == (3, 0)


def test_dead_letters_whose_bytes_were_counted_wrong_do_not_stop_a_worker(
    client: redis.Redis,
) -> None:
    harness = LettersHarness(client, max_dead_letter_bytes=1000)
    harness.bury(b"1")
    client.hset(keys.DEAD_LETTER_TOTALS, "bytes", 10**6)
    client.lpush("predict", b"2")
    ((tag, message),) = harness.reservations.reserve("predict", 1, *GENEROUS)
    harness.burial.bury(tag, message, "no")
    assert harness.ids() == []


def test_dead_letters_longer_than_a_round_trip_are_listed_one_by_one(
    harness: LettersHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "BYTES_PER_ROUND_TRIP", 1)
    for number in range(3):
        harness.bury(b"%d" % number)
    assert len(harness.ids()) == 3
