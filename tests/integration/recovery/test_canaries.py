"""Canaries show that the way through a queue works, and users' figures know nothing of them."""

import time
from collections.abc import Iterator

import pytest
import redis

from tasks.ledger.predictions.settlement import Settled
from tasks.ledger.queue.canaries import sightings
from tasks.record import Record
from telemetry.errors import WorkerLost
from tests.integration.ledger.ledger_harness import Room
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
    with running(home, PREDICTQ_CANARY_INTERVAL=str(INTERVAL)) as stack:
        yield stack


def canary(stack: LiveStack, queue: str = "predict") -> Json | None:
    return stack.http.get("/stats").json()["canaries"].get(queue)


def age(stack: LiveStack, queue: str = "predict") -> float:
    """Seconds, of one that is known."""
    found = canary(stack, queue)
    assert found
    return float(found["age_seconds"])


def test_they_come_back_again_and_again(watched: LiveStack) -> None:
    first = until(lambda: canary(watched), "a canary")
    assert 0 < first["seconds"] < first["age_seconds"]
    until(lambda: age(watched) > 3 * INTERVAL, "time")
    until(lambda: age(watched) < 3 * INTERVAL, "another")


def test_their_age_shows_a_way_that_is_blocked(watched: LiveStack) -> None:
    until(lambda: canary(watched), "a canary")
    with watched.frozen_pool():
        until(lambda: age(watched) > 5 * INTERVAL, "an old canary")
        assert watched.http.get("/stats").json()["reserved"] == 1, "one at a time"
        assert 'predictq_canary_age_seconds{queue="predict"}' in watched.http.get("/metrics").text
    until(lambda: age(watched) < 3 * INTERVAL, "the way is free")


def test_users_figures_know_nothing_of_them(watched: LiveStack) -> None:
    until(lambda: canary(watched), "a canary")
    assert watched.predict("doubling", ROW) == [2.0]
    (version,) = watched.http.get("/stats").json()["predictions"]
    assert (version["model"], version["succeeded"]) == ("doubling", 1)
    assert 'model="canary"' not in watched.http.get("/metrics").text
    refused = watched.http.post("/predict", json={"model": "canary:0", "features": ROW})
    assert refused.status_code == 422


def test_the_queue_of_batch_jobs_has_its_own(watched: LiveStack) -> None:
    assert canary(watched, "bulk") is None
    watched.start("bulk")
    first = until(lambda: canary(watched, "bulk"), "a canary")
    assert 0 < first["seconds"] < first["age_seconds"]
    until(lambda: age(watched, "bulk") > 3 * INTERVAL, "time")
    until(lambda: age(watched, "bulk") < 3 * INTERVAL, "another")
    watched.stop("bulk")


@pytest.fixture
def room(client: redis.Redis) -> Room:
    client.flushall()
    return Room(client)


def settle(room: Room, outcome: Record) -> None:
    ((tag, _),) = room.take()
    room.ledger.settle(outcome.reference, [Settled(outcome, tag)])


def sent(room: Room) -> Record:
    """The canary that is on its way."""
    tend(room.ledger, "predict", 0)
    record = room.ledger.record("canary-predict")
    assert record
    assert (record.state, room.queued()) == ("queued", 1)
    return record


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
def test_one_that_did_not_succeed_proves_nothing(room: Room, state: str) -> None:
    record = sent(room)
    settle(room, record.failed(WorkerLost()) if state == "failed" else getattr(record, state)())
    assert sent(room), "the next"
    assert sightings(room.client) == {}


@pytest.mark.parametrize("skew", [3600, -3600])
def test_a_worker_with_a_wrong_clock_does_no_harm(
    room: Room, skew: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: clock() + skew)
        record = sent(room)
    settle(room, record.succeeded([], None))
    assert sent(room), "the next"
    seen = sightings(room.client)["predict"]
    assert abs(room.ledger.now() - seen.sent_at) < 30
    assert 0 <= seen.seconds < 30
