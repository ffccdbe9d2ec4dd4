"""Pausing in the ledger: what opens it, and what is parked comes back in order."""

import json
import time

import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.pauses.pauses import PROBING
from tasks.ledger.predictions.settlement import Settled
from tasks.messages import Idempotency
from tasks.record import Record
from tasks.time_limits import LONGEST_RUN
from telemetry.errors import ModelError, VersionPaused, WorkerLost
from tests.integration.ledger.ledger_harness import PREDICTION, RECEIPT, full
from tests.integration.ledger.pauses.pause_harness import LONG_AGO, PausingRoom


@pytest.fixture
def room(client: redis.Redis) -> PausingRoom:
    return PausingRoom(client)


def test_failures_in_a_row_pause_a_version(room: PausingRoom) -> None:
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


def test_success_in_between_keeps_it_open(room: PausingRoom) -> None:
    for _ in range(4):
        room.fail_one()
        room.fail_one()
        room.accept()
        room.succeed(room.take())
    assert not room.paused()


def test_bad_input_and_errors_of_the_model_do_not_count(room: PausingRoom) -> None:
    for _ in range(20):
        room.fail_one(ModelError("no"))
    assert not room.paused()
    assert not room.client.exists(keys.TROUBLES + "churn:3")


def test_dead_letters_within_a_minute_pause_it_whatever_succeeds(client: redis.Redis) -> None:
    room = PausingRoom(client, dead_letters_per_minute=4)
    for number in range(5):
        assert not room.paused(), number
        room.fail_one(WorkerLost())
        if not room.paused():
            room.accept()
            room.succeed(room.take())

    assert (room.paused().trigger, room.paused().code) == ("dead_letters", "worker_lost")
    assert "5 dead letters" in room.paused().reason


def test_dead_letters_of_more_than_a_minute_ago_are_forgotten(client: redis.Redis) -> None:
    room = PausingRoom(client, dead_letters_per_minute=2, breaker_failures=1000)
    room.fail_one()
    room.fail_one()
    room.client.hset(keys.TROUBLES + "churn:3", "since", time.time() - 61)

    room.fail_one()

    assert not room.paused()


def test_failures_in_a_row_may_take_minutes_each(room: PausingRoom) -> None:
    """As loads do that hang."""
    for _ in range(3):
        assert not room.paused()
        if room.client.exists(keys.TROUBLES + "churn:3"):
            room.client.hset(keys.TROUBLES + "churn:3", "since", time.time() - 301)
            assert room.client.ttl(keys.TROUBLES + "churn:3") > 2 * LONGEST_RUN - 5
        room.fail_one()

    assert room.paused().trigger == "failures"


def test_a_refused_submission_leaves_no_trace(room: PausingRoom) -> None:
    room.open()
    before = room.client.keys()

    key = Idempotency("k", "payload")
    with pytest.raises(VersionPaused):
        room.accept(key=key)

    assert sorted(room.client.keys()) == sorted(before)
    room.pauses.resume("churn:3")
    assert room.accept(key=key)


def test_what_is_queued_is_parked_at_reservation_and_comes_back_in_order(room: PausingRoom) -> None:
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


def test_more_than_is_parked_in_one_go(room: PausingRoom) -> None:
    ours = [room.accept() for _ in range(2500)]
    room.pauses.pause("churn:3", "a test")
    assert [room.taken() for _ in range(3)] == [[], [], []]
    assert room.parked() == ours
    room.client.config_resetstat()
    room.pauses.resume("churn:3")
    moved = room.client.info("commandstats")
    assert moved["cmdstat_rpush"]["calls"] + moved["cmdstat_hincrby"]["calls"] <= 12, "all wait"
    assert room.client.hmget("predictq:queued:predict", "rows", "taken") == [b"2500", b"0"]
    assert [room.taken() for _ in range(25)] == [ours[n : n + 100] for n in range(0, 2500, 100)]


@pytest.fixture
def sliced(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> PausingRoom:
    """Ten messages go back in one step."""
    monkeypatch.setitem(PROBING, "slice", 10)
    return PausingRoom(client)


def parking(room: PausingRoom, many: int) -> list[str]:
    ours = [room.accept() for _ in range(many)]
    room.pauses.pause("churn:3", "a test")
    assert room.taken() == []
    return ours


def test_what_was_parked_goes_back_in_slices_and_in_order(sliced: PausingRoom) -> None:
    ours = parking(sliced, 25)
    sliced.pauses.resume("churn:3")
    assert sliced.queued() == 10
    later = sliced.accept()

    taken: list[str] = []
    for _ in range(30):
        taken += [task_id for _, task_id in sliced.take(3)]
        sliced.reservations.upkeep([])
        assert sliced.queued() <= 13, "no slice goes before the one in front of it was taken"
    assert [task_id for task_id in taken if task_id != later] == ours
    assert later in taken
    assert not sliced.client.exists(keys.UNPARKING, keys.PARKED + "churn:3")


def test_a_purged_queue_gets_the_next_slice(sliced: PausingRoom) -> None:
    ours = parking(sliced, 25)
    sliced.pauses.resume("churn:3")
    sliced.client.delete("predict")
    sliced.reservations.upkeep([])
    assert sliced.taken() == ours[10:20]


def test_one_that_is_paused_again_keeps_the_rest(sliced: PausingRoom) -> None:
    ours = parking(sliced, 25)
    sliced.pauses.resume("churn:3")
    sliced.pauses.pause("churn:3", "again")
    assert sliced.taken() == []
    sliced.reservations.upkeep([])
    assert sliced.queued() == 0
    assert sorted(sliced.parked(), key=int) == ours


def test_a_full_redis_lets_slices_go_back(sliced: PausingRoom) -> None:
    parking(sliced, 15)
    with full(sliced.client):
        sliced.pauses.resume("churn:3")
        assert len(sliced.taken()) == 10
        sliced.reservations.upkeep([])
        assert len(sliced.taken()) == 5


def test_messages_of_others_are_not_held_back(room: PausingRoom) -> None:
    """Stock producers do not say the version where scripts look."""
    room.pauses.pause("churn:3", "a test")
    room.client.lpush("predict", json.dumps({"headers": {"id": "stock"}, "body": ""}))
    assert room.taken() == ["stock"]


def test_no_probe_ends_what_an_operator_began(room: PausingRoom) -> None:
    room.open()
    assert not room.pauses.pause("churn:3", "until Monday"), "it was paused before"

    assert room.paused().trigger == "operator"
    assert room.paused().probe_at is None
    with pytest.raises(VersionPaused, match="until Monday"):
        room.accept()


def test_resuming_what_is_not_paused_changes_nothing(room: PausingRoom) -> None:
    assert not room.pauses.resume("churn:3")


def test_what_was_cancelled_and_forgotten_while_it_was_parked_is_never_begun(
    room: PausingRoom,
) -> None:
    room.accept(LONG_AGO)
    room.pauses.pause("churn:3", "a test")
    assert room.taken() == []
    room.forget(LONG_AGO)
    room.pauses.resume("churn:3")
    batch = room.take()
    assert room.client.hmget("predictq:queued:predict", "rows", "bytes") == [b"0", b"0"]

    assert [task_id for _, task_id in batch] == [LONG_AGO]
    assert room.ledger.start(batch) == [0]

    late = Record.queued(LONG_AGO, PREDICTION).succeeded([7], RECEIPT)
    assert room.settle([Settled(late, batch[0][0])]) == 0, "nor is it there again"
    assert not room.client.exists(keys.record(LONG_AGO), keys.RESERVED, keys.DUE, keys.ATTEMPTS)
    (statistics,) = room.ledger.statistics()
    assert statistics.outcomes == {"succeeded": 0, "failed": 0, "cancelled": 1, "expired": 0}
