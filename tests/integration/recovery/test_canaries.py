"""Canaries show that a queue works from end to end, and do not count in users' statistics."""

import time
from collections.abc import Iterator

import pytest
import redis

from tasks.ledger.ledger import connect
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.queue.canaries import sightings
from tasks.record import Record
from telemetry.errors import WorkerLost
from tests.integration.ledger.ledger_harness import LedgerHarness
from tests.support.models import Doubling, register
from tests.support.stack import Json, LiveStack, running, until
from workers.celery.canaries import tend

pytestmark = pytest.mark.slow

ROW = [1.0, 0.0]
INTERVAL = 0.5


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("watched")
    register(home, "doubling", Doubling(), [ROW])
    with running(home, forks=True, PREDICTQ_CANARY_INTERVAL=str(INTERVAL)) as stack:
        yield stack


def canary(stack: LiveStack, queue: str = "predict") -> Json | None:
    return stack.http.get("/stats").json()["canaries"].get(queue)


def age(stack: LiveStack, queue: str = "predict") -> float:
    """The age of the last canary in seconds."""
    found = canary(stack, queue)
    assert found
    return float(found["age_seconds"])


def sent_at(stack: LiveStack, queue: str) -> float:
    """When the last canary that came back was sent, in Unix seconds by Redis's clock."""
    with connect(stack.redis_url) as client:
        return sightings(client)[queue].sent_at


def await_another(stack: LiveStack, queue: str = "predict") -> None:
    last = sent_at(stack, queue)
    until(lambda: sent_at(stack, queue) > last, "another canary")


def test_canaries_come_back_at_each_interval(watched: LiveStack) -> None:
    first = until(lambda: canary(watched), "a canary")
    assert 0 < first["seconds"] < first["age_seconds"]
    for _ in range(2):
        await_another(watched)


def test_age_of_a_canary_shows_a_blocked_queue(watched: LiveStack) -> None:
    until(lambda: canary(watched), "a canary")
    with watched.frozen_pool():
        until(lambda: age(watched) > 5 * INTERVAL, "an old canary")
        assert watched.http.get("/stats").json()["reserved"] == 1, "one at a time"
        assert 'predictq_canary_age_seconds{queue="predict"}' in watched.http.get("/metrics").text
    until(lambda: age(watched) < 3 * INTERVAL, "the way is free")


def test_canaries_do_not_count_in_statistics(watched: LiveStack) -> None:
    until(lambda: canary(watched), "a canary")
    assert watched.predict("doubling", ROW) == [2.0]
    (version,) = watched.http.get("/stats").json()["predictions"]
    assert (version["model"], version["succeeded"]) == ("doubling", 1)
    assert 'model="canary"' not in watched.http.get("/metrics").text
    refused = watched.http.post("/predict", json={"model": "canary:0", "features": ROW})
    assert refused.status_code == 422


def test_bulk_queue_has_a_canary_of_its_own(watched: LiveStack) -> None:
    assert canary(watched, "bulk") is None
    watched.start("bulk")
    first = until(lambda: canary(watched, "bulk"), "a canary")
    assert 0 < first["seconds"] < first["age_seconds"]
    await_another(watched, "bulk")
    watched.stop("bulk")


@pytest.fixture
def harness(client: redis.Redis) -> LedgerHarness:
    client.flushall()
    return LedgerHarness(client)


def settle(harness: LedgerHarness, outcome: Record) -> None:
    ((tag, _),) = harness.take()
    harness.ledger.settle(outcome.reference, [Settled(outcome, tag)])


def sent(harness: LedgerHarness) -> Record:
    """The record of the canary that is queued."""
    tend(harness.ledger, "predict", 0)
    record = harness.ledger.record("canary-predict")
    assert record
    assert (record.state, harness.queued()) == ("queued", 1)
    return record


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
def test_canary_that_did_not_succeed_proves_nothing(harness: LedgerHarness, state: str) -> None:
    record = sent(harness)
    settle(harness, record.failed(WorkerLost()) if state == "failed" else getattr(record, state)())
    assert sent(harness), "the next"
    assert sightings(harness.client) == {}


@pytest.mark.parametrize("skew", [3600, -3600])
def test_canaries_of_a_worker_with_a_wrong_clock_do_no_harm(
    harness: LedgerHarness, skew: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: clock() + skew)
        record = sent(harness)
    settle(harness, record.succeeded([], None))
    assert sent(harness), "the next"
    seen = sightings(harness.client)["predict"]
    assert abs(harness.ledger.now() - seen.sent_at) < 30
    assert 0 <= seen.seconds < 30
