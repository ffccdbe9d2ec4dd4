"""How many jobs there may be, which of them are forgotten, and what a key stands for."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from tasks.jobs.job import JobError
from tasks.jobs.ledger import JobLedger
from tasks.ledger import keys
from tasks.messages import Idempotency
from tasks.settings import Settings
from telemetry.errors import IdempotencyConflict, QueueFull
from tests.integration.ledger.jobs.job_worker import ORDER, Desk

BROKEN = JobError("output_unwritable", "no room")
KEY = Idempotency("key", "fingerprint")


@dataclass
class Bounded:
    """A ledger that has room for few jobs."""

    client: redis.Redis

    @property
    def ledger(self) -> JobLedger:
        bounds = Settings(home=Path("/n"), redis_url="redis://n", max_live_jobs=2, max_jobs=3)
        return JobLedger(self.client, bounds)


@pytest.fixture
def desk(client: redis.Redis) -> Desk:
    return Desk(client)


def test_no_more_are_under_way_than_may(client: redis.Redis) -> None:
    ledger = Bounded(client).ledger
    for name in ("a", "b"):
        ledger.create(name, ORDER)
    with pytest.raises(QueueFull, match="2 batch jobs are under way"):
        ledger.create("c", ORDER)
    assert ledger.job("c") is None
    ledger.create("a", ORDER)  # the same call once more
    ledger.cancel("a")
    ledger.create("c", ORDER)
    ledger.resume("a")  # what was accepted is never refused
    assert client.scard(keys.JOBS_LIVE) == 3


def test_no_more_are_kept_than_may(client: redis.Redis) -> None:
    ledger = Bounded(client).ledger
    for name in ("a", "b", "c"):
        ledger.create(name, ORDER)
        ledger.cancel(name)
    with pytest.raises(QueueFull, match="3 batch jobs are kept: delete some"):
        ledger.create("d", ORDER)
    assert ledger.delete("b") == "cancelled"
    ledger.create("d", ORDER)


def test_what_ends_makes_room_however_it_ends(desk: Desk) -> None:
    desk.submit("failed", "swept")
    desk.ledger.conclude(desk.begin("failed", "validate"), BROKEN)
    desk.outdate("swept")
    desk.ledger.sweep("swept")
    assert desk.client.scard(keys.JOBS_LIVE) == 0


def test_one_that_has_not_ended_is_not_deleted(desk: Desk) -> None:
    desk.submit("a")
    assert desk.ledger.delete("a") == "validating"
    assert desk.status("a") == "validating"
    assert desk.ledger.delete("nobody") is None


def test_nothing_of_a_deleted_one_is_left(desk: Desk) -> None:
    desk.submit("a")
    desk.validate("a", 1)
    desk.settle(desk.begin("a", "0"))
    begun = desk.begin("a", "finalize")
    desk.ledger.cancel("a")
    assert desk.ledger.conclude(begun, None, "f") == "completed"
    assert desk.ledger.delete("a") == "completed"
    assert not desk.client.keys(f"{keys.JOB}*")
    assert not desk.client.zcard(keys.JOBS)
    assert desk.ledger.conclude(begun, None, "f") is None  # by one who was frozen
    assert desk.ledger.settle(begun.held, desk.part(begun)) is None


def test_a_key_stands_for_one_job(desk: Desk) -> None:
    assert desk.ledger.create("a", ORDER, KEY) == "a"
    assert desk.ledger.create("b", ORDER, KEY) == "a"
    assert desk.ledger.job("b") is None
    with pytest.raises(IdempotencyConflict):
        desk.ledger.create("c", ORDER, Idempotency("key", "another"))
    desk.ledger.cancel("a")
    assert desk.ledger.create("b", ORDER, KEY) == "a"
    desk.ledger.delete("a")
    assert desk.ledger.create("b", ORDER, KEY) == "b"


def test_jobs_that_stop_go_on_without_a_walk_over_what_is_settled(desk: Desk) -> None:
    desk.submit("a")
    desk.validate("a", 50)
    for n in range(40):
        desk.settle(desk.begin("a", str(n)))
    held = desk.begin("a", "40")
    desk.ledger.cancel("a")
    assert desk.client.hget(f"{keys.JOB}a", "next") == b"41"
    desk.lose(held)  # its worker died, and another finds that there is nothing to do
    assert desk.ledger.begin(desk.take()) is None
    assert desk.status("a") == "cancelled"
    assert desk.client.hget(f"{keys.JOB}a", "next") == b"40"
    desk.ledger.resume("a")
    assert desk.waiting() == ["a.40", "a.41"]


def test_jobs_of_before_are_looked_through_when_they_go_on(desk: Desk) -> None:
    desk.submit("a")
    desk.validate("a", 4)
    desk.settle(desk.begin("a", "0"))
    desk.ledger.cancel("a")
    desk.client.hdel(f"{keys.JOB}a", "revisits")
    desk.client.hset(f"{keys.JOB}a", "next", 4)
    desk.ledger.resume("a")
    assert desk.waiting() == ["a.1", "a.2"]


def test_cancelling_takes_its_own_messages_alone_from_a_long_queue(desk: Desk) -> None:
    desk.submit("a", "b")
    desk.validate("a", 9)
    desk.client.rpush("bulk", *[f"m{n}" for n in range(2500)])
    desk.client.lpush("bulk", *[f"n{n}" for n in range(2500)])
    before = desk.client.llen("bulk")
    desk.ledger.cancel("a")
    assert desk.status("a") == "cancelled"
    assert desk.client.llen("bulk") == before - 2
    assert desk.client.hget(f"{keys.QUEUED}bulk", "rows") == b"1"
    assert not desk.client.lrange("bulk", 0, -1).count(b"")
