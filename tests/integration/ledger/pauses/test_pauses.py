"""Pauses in the ledger: their triggers, and the order of parked messages."""

import json
import time

import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.predictions.attempts import NotStarted
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.script_constants import PROBING
from tasks.messages import Idempotency
from tasks.record import Record
from tasks.time_limits import MAX_RUN_SECONDS
from telemetry.errors import ModelError, VersionPaused, WorkerLost
from tests.integration.ledger.ledger_harness import PREDICTION, RECEIPT, full
from tests.integration.ledger.pauses.pause_harness import LONG_AGO, PauseHarness


@pytest.fixture
def harness(client: redis.Redis) -> PauseHarness:
    return PauseHarness(client)


def test_failures_in_a_row_pause_a_version(harness: PauseHarness) -> None:
    for _ in range(2):
        harness.fail_one()
    assert not harness.paused()

    harness.fail_one()

    paused = harness.paused()
    assert (paused.model, paused.trigger, paused.code) == (
        "churn:3",
        "failures",
        "artifact_mismatch",
    )
    assert "3 failures" in paused.reason
    assert "it is damaged" in paused.reason
    assert paused.since < paused.probe_at
    with pytest.raises(VersionPaused, match="churn:3 is paused: 3 failures") as refused:
        harness.accept()
    assert refused.value.extra["retry_after"] == 1
    assert harness.accept(version=4), "others go on"


def test_success_in_between_prevents_a_pause(harness: PauseHarness) -> None:
    for _ in range(4):
        harness.fail_one()
        harness.fail_one()
        harness.accept()
        harness.succeed(harness.take())
    assert not harness.paused()


def test_pause_does_not_count_bad_input_and_model_errors(harness: PauseHarness) -> None:
    for _ in range(20):
        harness.fail_one(ModelError("no"))
    assert not harness.paused()
    assert not harness.client.exists(keys.TROUBLES + "churn:3")


def test_dead_letters_within_a_minute_pause_a_version_despite_successes(
    client: redis.Redis,
) -> None:
    harness = PauseHarness(client, dead_letters_per_minute=4)
    for number in range(5):
        assert not harness.paused(), number
        harness.fail_one(WorkerLost())
        if not harness.paused():
            harness.accept()
            harness.succeed(harness.take())

    assert (harness.paused().trigger, harness.paused().code) == ("dead_letters", "worker_lost")
    assert "5 dead letters" in harness.paused().reason


def test_dead_letters_of_more_than_a_minute_ago_are_forgotten(client: redis.Redis) -> None:
    harness = PauseHarness(client, dead_letters_per_minute=2, breaker_failures=1000)
    harness.fail_one()
    harness.fail_one()
    harness.client.hset(keys.TROUBLES + "churn:3", "since", time.time() - 61)

    harness.fail_one()

    assert not harness.paused()


def test_failures_in_a_row_may_take_minutes_each(harness: PauseHarness) -> None:
    """Loads that hang fail only after minutes."""
    for _ in range(3):
        assert not harness.paused()
        if harness.client.exists(keys.TROUBLES + "churn:3"):
            harness.client.hset(keys.TROUBLES + "churn:3", "since", time.time() - 301)
            assert harness.client.ttl(keys.TROUBLES + "churn:3") > 2 * MAX_RUN_SECONDS - 5
        harness.fail_one()

    assert harness.paused().trigger == "failures"


def test_paused_version_refuses_a_submission_without_a_trace(harness: PauseHarness) -> None:
    harness.open()
    before = harness.client.keys()

    key = Idempotency("k", "payload")
    with pytest.raises(VersionPaused):
        harness.accept(key=key)

    assert sorted(harness.client.keys()) == sorted(before)
    harness.pauses.resume("churn:3")
    assert harness.accept(key=key)


def test_queued_messages_are_parked_at_reservation_and_return_in_order(
    harness: PauseHarness,
) -> None:
    ours = [harness.accept() for _ in range(5)]
    others = [harness.accept(version=4) for _ in range(2)]
    harness.pauses.pause("churn:3", "a test")

    assert harness.taken() == others
    assert harness.parked() == ours
    assert harness.paused().parked == 5
    assert harness.ledger.depths(("predict",))[0] == {"predict": 0}
    assert harness.client.hmget("predictq:queued:predict", "rows", "bytes") == [b"0", b"0"]

    later = harness.accept(version=4)
    assert harness.pauses.resume("churn:3")

    assert harness.client.hget("predictq:queued:predict", "rows") == b"6"
    assert harness.taken() == [*ours, later]
    assert not harness.client.exists(keys.PARKED + "churn:3", keys.PAUSED)


def test_parking_of_more_than_one_slice(harness: PauseHarness) -> None:
    ours = [harness.accept() for _ in range(2500)]
    harness.pauses.pause("churn:3", "a test")
    assert [harness.taken() for _ in range(3)] == [[], [], []]
    assert harness.parked() == ours
    harness.client.config_resetstat()
    harness.pauses.resume("churn:3")
    moved = harness.client.info("commandstats")
    assert moved["cmdstat_rpush"]["calls"] + moved["cmdstat_hincrby"]["calls"] <= 12, "all wait"
    assert harness.client.hmget("predictq:queued:predict", "rows", "taken") == [b"2500", b"0"]
    assert [harness.taken() for _ in range(25)] == [ours[n : n + 100] for n in range(0, 2500, 100)]


@pytest.fixture
def sliced(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> PauseHarness:
    """A harness in which ten messages are unparked in one step."""
    monkeypatch.setitem(PROBING, "slice", 10)
    return PauseHarness(client)


def parking(harness: PauseHarness, many: int) -> list[str]:
    ours = [harness.accept() for _ in range(many)]
    harness.pauses.pause("churn:3", "a test")
    assert harness.taken() == []
    return ours


def test_parked_messages_return_in_slices_and_in_order(sliced: PauseHarness) -> None:
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


def test_parked_messages_return_in_slices_after_a_purge(sliced: PauseHarness) -> None:
    ours = parking(sliced, 25)
    sliced.pauses.resume("churn:3")
    sliced.client.delete("predict")
    sliced.reservations.upkeep([])
    assert sliced.taken() == ours[10:20]


def test_pausing_again_keeps_the_rest_parked(sliced: PauseHarness) -> None:
    ours = parking(sliced, 25)
    sliced.pauses.resume("churn:3")
    sliced.pauses.pause("churn:3", "again")
    assert sliced.taken() == []
    sliced.reservations.upkeep([])
    assert sliced.queued() == 0
    assert sorted(sliced.parked(), key=int) == ours


def test_full_redis_lets_parked_slices_return(sliced: PauseHarness) -> None:
    parking(sliced, 15)
    with full(sliced.client):
        sliced.pauses.resume("churn:3")
        assert len(sliced.taken()) == 10
        sliced.reservations.upkeep([])
        assert len(sliced.taken()) == 5


def test_pause_holds_back_no_other_version(harness: PauseHarness) -> None:
    """Messages of stock producers have no version in their headers."""
    harness.pauses.pause("churn:3", "a test")
    harness.client.lpush("predict", json.dumps({"headers": {"id": "stock"}, "body": ""}))
    assert harness.taken() == ["stock"]


def test_operator_s_pause_has_no_probe(harness: PauseHarness) -> None:
    harness.open()
    assert not harness.pauses.pause("churn:3", "until Monday"), "it was paused before"

    assert harness.paused().trigger == "operator"
    assert harness.paused().probe_at is None
    with pytest.raises(VersionPaused, match="until Monday"):
        harness.accept()


def test_resuming_what_is_not_paused_changes_nothing(harness: PauseHarness) -> None:
    assert not harness.pauses.resume("churn:3")


def test_parked_prediction_that_was_forgotten_is_never_started(
    harness: PauseHarness,
) -> None:
    harness.accept(LONG_AGO)
    harness.pauses.pause("churn:3", "a test")
    assert harness.taken() == []
    harness.forget(LONG_AGO)
    harness.pauses.resume("churn:3")
    batch = harness.take()
    assert harness.client.hmget("predictq:queued:predict", "rows", "bytes") == [b"0", b"0"]

    assert [task_id for _, task_id in batch] == [LONG_AGO]
    assert harness.ledger.start(batch) == [NotStarted.DONE]

    late = Record.queued(LONG_AGO, PREDICTION).succeeded([7], RECEIPT)
    assert harness.settle([Settled(late, batch[0][0])]) == 0, "nor is it there again"
    assert not harness.client.exists(keys.record(LONG_AGO), keys.RESERVED, keys.DUE, keys.ATTEMPTS)
    (statistics,) = harness.ledger.statistics()
    assert statistics.outcomes == {"succeeded": 0, "failed": 0, "cancelled": 1, "expired": 0}


def test_next_slice_returns_as_soon_as_the_one_before_was_taken(sliced: PauseHarness) -> None:
    sliced.accept(version=4)
    assert len(sliced.take()) == 1
    ours = parking(sliced, 15)
    sliced.pauses.resume("churn:3")
    other = sliced.accept(version=4)
    assert [task_id for _, task_id in sliced.take(10)] == ours[:10]
    sliced.reservations.upkeep([])
    assert sliced.taken() == [*ours[10:], other]
