"""One caller's wait: what wakes it, and what it returns."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import redis
from msgspec.structs import replace

from tasks.ledger.ledger import MAX_RECORD_ON_LOOP, RecordTooLong
from tasks.messages import Prediction
from tasks.record import Record
from tasks.waiting.wait import Wait
from telemetry.errors import Lost

QUEUED = Record.queued(
    "an-id",
    Prediction(model="m", version=1, alias=None, method="predict", features=[], created_at=1.0),
)
SUCCEEDED = QUEUED.succeeded([1], None)
LONG = 60.0
"""Seconds that no test here waits for."""


class Redis:
    """The record as Redis has it; counts the look-ups."""

    def __init__(self) -> None:
        self.record, self.looks = QUEUED, 0

    async def look_up(self, _: str) -> Record:
        self.looks += 1
        return self.record


@pytest.fixture
def there() -> Redis:
    return Redis()


def waited(there: Any, act: Callable[[Wait], object], seconds: float = LONG) -> Record:
    """What a wait returns to which something happens once it sleeps."""

    async def run() -> Record:
        wait = Wait("an-id", there.look_up, is_over=False)
        asyncio.get_running_loop().call_later(0.01, act, wait)
        return await asyncio.wait_for(wait.outcome(QUEUED, seconds), 20)

    return asyncio.run(run())


def test_wait_returns_the_outcome_that_was_published(there: Redis) -> None:
    text = msgspec.json.encode(SUCCEEDED)
    assert waited(there, lambda wait: wait.notify(text)) == SUCCEEDED
    assert there.looks == 0


@pytest.mark.parametrize("text", [b"", b"nonsense"], ids=repr)
def test_wait_looks_where_no_outcome_was_published(there: Redis, text: bytes) -> None:
    there.record = SUCCEEDED
    assert waited(there, lambda wait: wait.notify(text)) == SUCCEEDED


def test_wait_leaves_a_long_outcome_to_a_thread(there: Redis) -> None:
    with pytest.raises(RecordTooLong):
        waited(there, lambda wait: wait.notify(b"x" * (MAX_RECORD_ON_LOOP + 1)))


def test_wait_returns_the_present_state_when_its_time_is_up(there: Redis) -> None:
    there.record = replace(QUEUED, state="running")
    assert waited(there, lambda _: None, 0.02) == there.record
    assert there.looks == 1


def test_wait_that_is_ended_looks_once_more(there: Redis) -> None:
    assert waited(there, Wait.end) == QUEUED
    assert there.looks == 1


def test_wait_of_a_process_that_shuts_down_does_not_sleep(there: Redis) -> None:
    wait = Wait("an-id", there.look_up, is_over=True)
    assert asyncio.run(asyncio.wait_for(wait.outcome(QUEUED, LONG), 20)) == QUEUED


def test_wait_fails_with_redis() -> None:
    with pytest.raises(redis.ConnectionError):
        waited(Redis(), lambda wait: wait.fail(redis.ConnectionError()))


def test_wait_for_what_was_lost_says_so() -> None:
    class Empty:
        async def look_up(self, _: str) -> Record:
            raise Lost

    with pytest.raises(Lost):
        waited(Empty(), Wait.notify)


def test_wait_looks_when_the_queue_deadline_passes(there: Redis) -> None:
    """Without a worker, only a look-up expires a prediction."""
    overdue = replace(QUEUED, queue_deadline=time.time() + 0.02)
    there.record = QUEUED.expired()
    wait = Wait("an-id", there.look_up, is_over=False)
    assert asyncio.run(asyncio.wait_for(wait.outcome(overdue, LONG), 20)).state == "expired"


def test_wait_that_was_called_before_it_slept_does_not_sleep(there: Redis) -> None:
    async def run() -> Record:
        wait = Wait("an-id", there.look_up, is_over=False)
        wait.notify(msgspec.json.encode(SUCCEEDED))
        return await asyncio.wait_for(wait.outcome(QUEUED, LONG), 20)

    assert asyncio.run(run()) == SUCCEEDED
