"""Probes: the outcome of one message decides whether a pause ends."""

import json
import time

import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.script_constants import WAIT_REMEMBERED
from tasks.record import Record
from tasks.wire import encode
from telemetry.errors import ModelError, VersionPaused, WorkerLost
from tests.integration.ledger.ledger_harness import PREDICTION, RECEIPT, full, message
from tests.integration.ledger.pauses.pause_harness import DAMAGED, LONG_AGO, PauseHarness
from tests.support.stack import until


@pytest.fixture
def harness(client: redis.Redis) -> PauseHarness:
    return PauseHarness(client)


def test_probe_is_a_submission_where_nothing_is_parked(harness: PauseHarness) -> None:
    harness.open()

    probe = harness.probe()

    with pytest.raises(VersionPaused):  # one probe at a time
        harness.accept()
    harness.succeed([probe])
    assert not harness.paused()
    assert 0 < harness.client.ttl(keys.TROUBLES + "churn:3") <= WAIT_REMEMBERED
    assert harness.accept()


@pytest.fixture
def parked(harness: PauseHarness) -> list[str]:
    """Ids of parked messages of a version that failed after they were queued."""
    guilty = [harness.accept() for _ in range(3)]
    waiting = [harness.accept() for _ in range(4)]
    assert harness.fail(harness.take(3)) == len(guilty)
    assert harness.paused()
    assert harness.taken() == []
    assert harness.parked() == waiting
    return waiting


def next_probe(harness: PauseHarness) -> tuple[str, str]:
    """The probe that a worker's upkeep releases."""
    until(lambda: harness.reservations.upkeep([]) or harness.client.llen("predict"), "a probe", 5)
    (probe,) = harness.take()
    return probe


def test_probe_is_the_oldest_parked_message(harness: PauseHarness, parked: list[str]) -> None:
    probe = next_probe(harness)

    assert probe[1] == parked[0]
    assert harness.parked() == parked[1:]
    with pytest.raises(VersionPaused):
        harness.accept()
    harness.succeed([probe])
    assert not harness.paused()
    assert harness.taken() == parked[1:]


def test_failed_probe_doubles_the_wait(harness: PauseHarness, parked: list[str]) -> None:
    waits = []
    for expected in parked:
        probe = next_probe(harness)
        assert probe[1] == expected
        before = time.time()
        harness.fail([probe])
        waits.append(harness.paused().probe_at - before)
        assert "the probe failed" in harness.paused().reason
    assert waits == pytest.approx([0.4, 0.8, 1.6, 3.2], abs=0.1)


def test_probe_wait_is_bounded(client: redis.Redis) -> None:
    harness = PauseHarness(client, probe_after=200)
    harness.open()
    entry = json.loads(client.hget(keys.PAUSED, "churn:3"))
    client.hset(keys.PAUSED, "churn:3", json.dumps(entry | {"probe_at": 1}))
    harness.fail([harness.probe()])
    assert harness.paused().probe_at - time.time() == pytest.approx(300, abs=5)


def test_probe_with_a_model_error_ends_the_pause(harness: PauseHarness, parked: list[str]) -> None:
    harness.fail([next_probe(harness)], ModelError("no"))
    assert not harness.paused()


def test_probe_that_is_cancelled_is_replaced(harness: PauseHarness, parked: list[str]) -> None:
    tag, task_id = next_probe(harness)
    harness.settle([Settled(harness.ledger.record(task_id).cancelled(), tag)])
    assert harness.paused()
    assert next_probe(harness)[1] == parked[1]


def test_cancelled_prediction_is_no_probe(harness: PauseHarness, parked: list[str]) -> None:
    harness.settle([Settled(harness.ledger.record(parked[0]).cancelled())])
    assert next_probe(harness)[1] == parked[1]


def test_forgotten_prediction_is_no_probe(
    harness: PauseHarness,
) -> None:
    ids = [harness.accept() for _ in range(3)] + [harness.accept(LONG_AGO), harness.accept()]
    harness.fail(harness.take(3))
    assert harness.taken() == []
    assert harness.parked() == ids[3:]
    harness.forget(LONG_AGO)
    assert next_probe(harness)[1] == ids[4]


def test_probe_search_is_bounded_per_step(harness: PauseHarness) -> None:
    """Redis serves nothing else during the search, so it is bounded."""
    harness.pauses.pause("churn:3", "a test")
    over = Record.queued("over", PREDICTION).cancelled()
    harness.client.set(keys.record("over"), encode(over))
    harness.client.rpush(keys.PARKED + "churn:3", message("alive"), *[message("over")] * 1500)
    entry = {
        "trigger": "failures",
        "code": "x",
        "reason": "x",
        "since": 0,
        "wait": 1,
        "probe_at": 1,
    }
    harness.client.hset(keys.PAUSED, "churn:3", json.dumps(entry))

    harness.reservations.upkeep([])
    assert harness.client.llen(keys.PARKED + "churn:3") == 501
    harness.reservations.upkeep([])
    assert harness.taken() == ["alive"]


def test_lost_probe_is_replaced(harness: PauseHarness, parked: list[str]) -> None:
    next_probe(harness)
    entry = json.loads(harness.client.hget(keys.PAUSED, "churn:3"))
    assert entry["probe_at"] - time.time() == pytest.approx(60, abs=5)
    harness.client.hset(keys.PAUSED, "churn:3", json.dumps(entry | {"probe_at": 1}))
    assert next_probe(harness)[1] == parked[1]


def test_probe_of_a_killed_worker_stays_the_probe(harness: PauseHarness, parked: list[str]) -> None:
    tag, task_id = next_probe(harness)
    harness.reservations.release([tag])
    assert next_probe(harness)[1] == task_id


def test_probe_alone_decides(harness: PauseHarness) -> None:
    early = [harness.accept() for _ in range(2)]
    batch = harness.take()
    harness.open()
    harness.succeed(batch)
    assert {harness.ledger.record(task_id).state for task_id in early} == {"succeeded"}
    assert harness.paused()


def test_failure_after_the_pause_began_is_parked(harness: PauseHarness) -> None:
    """The largest microbatch costs no more dead letters than the limit."""
    ids = [harness.accept() for _ in range(10)]

    assert harness.fail(harness.take()) == 3

    states = [harness.ledger.record(task_id).state for task_id in ids]
    assert states == ["failed"] * 3 + ["queued"] * 7
    assert harness.parked() == ids[3:]
    assert harness.client.hlen(keys.DEAD_LETTERS) == 3
    assert not harness.client.exists(keys.ATTEMPTS), "the version was at fault"
    assert harness.ledger.depths(("predict",)) == ({"predict": 0}, 0)
    harness.succeed([next_probe(harness)])
    assert harness.taken() == ids[4:]


def test_exhausted_attempts_fail_despite_the_pause(harness: PauseHarness) -> None:
    for _ in range(10):
        harness.accept()
    assert harness.fail(harness.take(), WorkerLost()) == 10


def test_probe_wait_grows_for_a_version_paused_again_soon(harness: PauseHarness) -> None:
    harness.open()
    harness.succeed([harness.probe()])
    harness.open()
    assert harness.paused().probe_at - time.time() == pytest.approx(0.4, abs=0.1)


def test_full_redis_lets_a_pause_end(harness: PauseHarness, parked: list[str]) -> None:
    probe = next_probe(harness)
    with full(harness.client):
        harness.succeed([probe])
    assert harness.taken() == parked[1:]


def test_failure_beside_a_successful_probe_is_unparked(harness: PauseHarness) -> None:
    """One message fails with an unreadable registry; the probe beside it succeeds."""
    ids = [harness.accept() for _ in range(6)]
    *guilty, held = harness.take(4)
    assert harness.fail(guilty) == 3
    assert harness.taken() == []
    assert harness.parked() == ids[4:]
    probe = next_probe(harness)
    failed = harness.ledger.record(held[1]).failed(DAMAGED)
    succeeded = harness.ledger.record(probe[1]).succeeded([7], RECEIPT)

    assert harness.settle([Settled(failed, held[0], 4), Settled(succeeded, probe[0])]) == 1

    assert not harness.paused()
    assert not harness.client.exists(keys.PARKED + "churn:3")
    assert harness.client.hmget("predictq:queued:predict", "rows", "taken") == [b"2", b"4"]
    assert harness.taken() == [held[1], ids[5]]
