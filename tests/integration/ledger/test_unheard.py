"""A process that dies once it has sent a script: all of it is done, or nothing, and only once."""

from typing import Any

import pytest
import redis
from redis.commands.core import Script

from tasks.ledger import keys
from tests.integration.ledger.pausing import PausingRoom
from tests.stack import until

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
