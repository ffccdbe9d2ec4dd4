"""Answers that nobody hears: what was asked is done whole or not at all, and counts once."""

from typing import Any

import pytest
import redis
from redis.commands.core import Script

from tasks.ledger import keys
from tasks.ledger.ledger import ALONE
from tasks.time_limits import MAX_ATTEMPTS
from tests.integration.ledger.ledger_harness import Room
from tests.integration.ledger.pauses.pause_harness import PausingRoom
from tests.support.stack import until
from workers.pool.child import PatientLedger

pytestmark = pytest.mark.slow

MANY = 2500
"""Messages: more than a script moves in one go."""


@pytest.fixture
def parked(client: redis.Redis) -> tuple[PausingRoom, list[str]]:
    room = PausingRoom(client, max_queued=MANY)
    ids = [room.accept() for _ in range(MANY)]
    room.pauses.pause("churn:3", "a test")
    until(lambda: room.take() == [] and not room.queued(), "all are parked")
    return room, ids


class Dying:
    """In place of a script: it is sent, and nobody lives to hear what it answers."""

    def __init__(self, client: redis.Redis, script: Script) -> None:
        self._client, self._script = client, script
        client.script_load(script.script)

    def __call__(self, keys: list[str] = [], args: list[Any] = []) -> int:  # noqa: B006 - as Script
        connection = self._client.connection_pool.make_connection()
        connection.connect()
        connection.send_command("EVALSHA", self._script.sha, len(keys), *keys, *args)
        connection.disconnect()
        return 0


def test_a_resumption_that_nobody_hears_of(parked: tuple[PausingRoom, list[str]]) -> None:
    room, ids = parked
    room.pauses._resume = Dying(room.client, room.pauses._resume)

    room.pauses.resume("churn:3")

    until(lambda: not room.paused(), "it is resumed")
    assert not room.client.exists(keys.PARKED + "churn:3")
    assert [task_id for _ in range(MANY // 100) for _, task_id in room.take()] == ids
    assert not room.queued()


def test_a_probe_whose_success_nobody_hears_of(parked: tuple[PausingRoom, list[str]]) -> None:
    room, ids = parked
    room.pauses.resume("churn:3")
    room.fail(room.take(3))
    until(lambda: room.take() == [] and not room.queued(), "all are parked")
    until(lambda: room.reservations.upkeep([]) or room.queued(), "a probe")
    (probe,) = room.take()
    settle, room.ledger._settle = room.ledger._settle, Dying(room.client, room.ledger._settle)

    room.succeed([probe])
    until(lambda: not room.paused(), "it is resumed")
    room.ledger._settle = settle
    assert room.succeed([probe]) == 0, "a process tries again until it hears"

    assert [task_id for _ in range(MANY // 100) for _, task_id in room.take()] == ids[4:]
    assert not room.queued()


@pytest.mark.parametrize(("ids", "attempts"), [(["a"], [1]), (["a", "b"], [ALONE, ALONE])])
def test_a_start_whose_answer_is_lost_time_and_again(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch, ids: list[str], attempts: list[int]
) -> None:
    """Nobody has died of it, so it must not be given up for that."""
    monkeypatch.setattr("workers.celery.outage.MAX_RETRY_PAUSE", 0.01)
    monkeypatch.setattr("workers.celery.outage.FIRST_RETRY_PAUSE", 0.01)
    room = Room(client)
    batch = room.reserve(*ids)
    ledger = PatientLedger(client, room.settings)
    start, lost = ledger._start, iter(range(2 * MAX_ATTEMPTS))

    def deaf(**asked: Any) -> list[int]:
        answer = start(**asked)
        if next(lost, None) is not None:
            raise redis.ConnectionError
        return answer

    ledger._start = deaf

    assert ledger.start(batch) == attempts
    assert client.hvals(keys.ATTEMPTS) == [b"1"] * len(ids)


def test_a_suspect_is_charged_where_it_was_not_begun_yet(room: Room) -> None:
    batch = room.reserve("a")
    room.ledger.start(batch)
    room.ledger.postpone(batch, suspect=True)
    (tag,) = room.client.hkeys(keys.RESERVED)

    assert room.ledger.start([(tag.decode(), "a")], again=True) == [2]
