"""All callers of a process that wait: how many may, who is woken, and what is looked at."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import redis

from tasks.ids import Ids
from tasks.ledger import keys
from tasks.messages import Prediction
from tasks.record import Record
from tasks.waiting import waits as module
from tasks.waiting.waits import Waits

IDS = Ids(b"key")
LONG = 60.0
"""Seconds that no test here waits for."""


def queued(task_id: str) -> Record:
    prediction = Prediction(
        model="m", version=1, alias=None, method="predict", features=[], created_at=1.0
    )
    return Record.queued(task_id, prediction)


class Subscription:
    """Joins and leaves at once; publications are made by tests."""

    def __init__(self, _: str, hear: Callable[[str, bytes], None]) -> None:
        self.hear = hear
        self.channels: list[str] = []
        self.renewed = 0

    async def join(self, channel: str) -> None:
        self.channels.append(channel)

    def leave(self, channel: str) -> None:
        self.channels.remove(channel)

    def renew(self) -> None:
        self.renewed += 1


class Ledger:
    """States by id; fails if it is told to."""

    def __init__(self) -> None:
        self.states_of: dict[str, str] = {}
        self.asked: list[int] = []
        self.error: redis.RedisError | None = None

    async def states(self, task_ids: list[str]) -> list[str | None]:
        if self.error:
            raise self.error
        self.asked.append(len(task_ids))
        return [self.states_of.get(task_id, "queued") for task_id in task_ids]


class World:
    """Waits over a fake Redis."""

    def __init__(self, most: int) -> None:
        self.ledger = Ledger()
        self.records: dict[str, Record] = {}
        gateway: Any = SimpleNamespace(
            mark=IDS.mark, ledger=self.ledger, look_up_async=self.look_up
        )
        self.waits = Waits(gateway, "redis://none", most)

    @property
    def subscription(self) -> Any:
        return self.waits._subscription

    async def look_up(self, task_id: str) -> Record:
        return self.records.get(task_id, queued(task_id))

    async def outcome(self, task_id: str) -> Record:
        wait = await self.waits.begin(task_id)
        assert wait is not None
        try:
            return await wait.outcome(queued(task_id), LONG)
        finally:
            self.waits.end(wait)

    def publish(self, channel: str, record: Record, prefix: str = "") -> None:
        self.subscription.hear(channel, prefix.encode() + msgspec.json.encode(record))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "Subscription", Subscription)
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.02)
    return World(most=4)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


async def begun(world: World, *task_ids: str) -> list[asyncio.Task[Record]]:
    """Tasks that wait for these ids."""
    tasks = [asyncio.ensure_future(world.outcome(task_id)) for task_id in task_ids]
    while len(world.waits._waiting) < len(set(task_ids)):
        await asyncio.sleep(0)
    return tasks


def test_waits_of_own_ids_share_the_channel_of_the_process(world: World) -> None:
    async def test() -> None:
        ids = [IDS.new_marked() for _ in range(3)]
        tasks = await begun(world, *ids)
        channel = keys.OUTCOMES + IDS.mark
        assert set(world.subscription.channels) == {channel}
        for number, task_id in enumerate(ids):
            world.publish(channel, queued(task_id).succeeded([number], None), task_id)
        assert [task.result for task in await asyncio.gather(*tasks)] == [[0], [1], [2]]

    run(test())


def test_waits_for_one_id_are_all_woken(world: World) -> None:
    async def test() -> None:
        tasks = await begun(world, "foreign", "foreign")
        world.publish(keys.record("foreign"), queued("foreign").succeeded([7], None))
        assert [task.result for task in await asyncio.gather(*tasks)] == [[7], [7]]
        assert world.subscription.channels.count(keys.record("foreign")) <= 1

    run(test())


def test_waits_beyond_the_bound_are_refused(world: World) -> None:
    async def test() -> None:
        held = [await world.waits.begin(IDS.new_marked()) for _ in range(4)]
        assert await world.waits.begin(IDS.new_marked()) is None
        unbounded = await world.waits.begin_unbounded(IDS.new_marked())
        world.waits.end(unbounded)
        assert await world.waits.begin(IDS.new_marked()) is None
        world.waits.end(held[0])
        assert await world.waits.begin(IDS.new_marked()) is not None

    run(test())


def test_waits_that_missed_a_publication_are_woken_by_a_look(world: World) -> None:
    async def test() -> None:
        task_id, other = IDS.new_marked(), IDS.new_marked()
        (task, waiting) = await begun(world, task_id, other)
        world.records[task_id] = queued(task_id).succeeded([1], None)
        world.ledger.states_of[task_id] = "succeeded"
        assert (await task).result == [1]
        assert not waiting.done()
        assert world.subscription.renewed >= 1
        waiting.cancel()

    run(test())


def test_waits_are_looked_at_in_windows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_IDS", 2)

    async def test() -> None:
        tasks = await begun(world, *(IDS.new_marked() for _ in range(3)))
        # The first look may come before all wait.
        while (2, 1) not in pairwise(world.ledger.asked):
            await asyncio.sleep(0.001)
        assert max(world.ledger.asked) == 2
        for task in tasks:
            task.cancel()

    run(test())


def test_waits_fail_while_redis_is_away(world: World) -> None:
    async def test() -> None:
        world.ledger.error = redis.ConnectionError()
        (task,) = await begun(world, IDS.new_marked())
        with pytest.raises(redis.ConnectionError):
            await task

    run(test())


def test_waits_end_when_the_process_shuts_down(world: World) -> None:
    async def test() -> None:
        (task,) = await begun(world, IDS.new_marked())
        world.waits.end_all()
        assert (await task).state == "queued"
        assert (await world.outcome(IDS.new_marked())).state == "queued"

    run(test())


@pytest.mark.parametrize("payload", [b"", b"\xff" * 40, b"nonsense"], ids=repr)
def test_waits_pass_over_publications_of_others(world: World, payload: bytes) -> None:
    async def test() -> None:
        (task,) = await begun(world, IDS.new_marked())
        world.subscription.hear(keys.OUTCOMES + IDS.mark, payload)
        await asyncio.sleep(0)
        assert not task.done()
        task.cancel()

    run(test())
