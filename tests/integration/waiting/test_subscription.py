"""A subscription to a real Redis: what it hears, and how it comes back."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import redis

from tasks.ledger import subscription as module
from tasks.ledger.subscription import Subscription


class Heard:
    """A subscription, and what it heard."""

    def __init__(self, client: redis.Redis) -> None:
        path = client.connection_pool.connection_kwargs["path"]
        self.told: list[tuple[str, bytes]] = []
        self.subscription = Subscription(f"unix://{path}", self._hear)

    def _hear(self, channel: str, payload: bytes) -> None:
        self.told.append((channel, payload))


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.01)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_subscription_hears_what_is_published_once_it_has_joined(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may confirm too late for callers, which then look by themselves.
    monkeypatch.setattr(module, "JOIN_TIMEOUT", 20.0)

    async def test() -> None:
        heard = Heard(client)
        await asyncio.gather(*(heard.subscription.join(channel) for channel in "aab"))
        client.publish("a", "1")
        client.publish("b", "2")
        client.publish("c", "3")
        await until(lambda: len(heard.told) == 2)
        assert heard.told == [("a", b"1"), ("b", b"2")]
        assert len(client.client_list(_type="pubsub")) == 1

    run(test)


def test_subscription_leaves_channels_together(client: redis.Redis) -> None:
    async def test() -> None:
        heard = Heard(client)
        for number in range(module.MAX_LEFT_BEHIND):
            await heard.subscription.join(f"{number}")
            heard.subscription.leave(f"{number}")
        heard.subscription.renew()
        await until(lambda: not client.pubsub_channels())
        await heard.subscription.join("again")
        heard.subscription.leave("again")
        await heard.subscription.join("again")
        heard.subscription.renew()
        client.publish("again", "x")
        await until(lambda: heard.told)

    run(test)


def test_subscription_joins_again_after_its_connection_was_lost(client: redis.Redis) -> None:
    async def test() -> None:
        heard = Heard(client)
        await heard.subscription.join("a")
        client.client_kill_filter(_type="pubsub")
        await until(lambda: client.publish("a", "x") and heard.told)

    run(test)


def test_subscription_that_hears_nothing_is_renewed(client: redis.Redis) -> None:
    async def test() -> None:
        heard = Heard(client)
        await heard.subscription.join("a")
        (before,) = client.client_list(_type="pubsub")
        heard.subscription.renew()
        heard.subscription.renew()  # no answer to PING since
        await until(lambda: [c["id"] for c in client.client_list(_type="pubsub")] != [before["id"]])
        await until(lambda: client.publish("a", "x") and heard.told)

    run(test)


def test_subscription_without_redis_does_not_hold_callers_up() -> None:
    async def test() -> None:
        subscription = Subscription("unix:///nowhere/redis.sock", lambda *_: None)
        await subscription.join("a")
        async with asyncio.timeout(module.JOIN_TIMEOUT / 2):
            for number in range(1000):
                await subscription.join(f"{number}")

    run(test)
