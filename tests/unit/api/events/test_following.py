"""Who may follow events, and how many at a time."""

import asyncio
from typing import Any

import pytest
import redis

from api.events import following as module
from api.events.following import EVENTS_PATH, Following
from api.operations.request_metrics import RequestMetrics
from tasks.events.news import News


class Log:
    """A stream without events."""

    async def follow(self) -> str:
        return "1-0"

    async def read(self, after: str) -> Any:
        await asyncio.Event().wait()


class Caller:
    """One request for events."""

    def __init__(self, following: Following) -> None:
        self.sent: list[Any] = []
        self.leaves = asyncio.Event()
        scope: Any = {"type": "http", "method": "GET", "path": EVENTS_PATH, "headers": []}
        self.task = asyncio.ensure_future(following(scope, self._receive, self._send))

    async def _receive(self) -> Any:
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Any) -> None:
        self.sent.append(event)

    async def status(self) -> int:
        while not self.sent:
            await asyncio.sleep(0.001)
        return int(self.sent[0]["status"])


@pytest.fixture(autouse=True)
def _without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    async def listen(_: News) -> None:
        pass

    monkeypatch.setattr(News, "listen", listen)
    monkeypatch.setattr(module, "MAX_STREAMS", 2)


def following(log: Any = None) -> Following:
    unasked: Any = None
    return Following(log or Log(), News(""), RequestMetrics(), unasked)


def test_streams_at_a_time_are_bounded() -> None:
    async def run() -> None:
        streams = following()
        first, second = Caller(streams), Caller(streams)
        assert [await first.status(), await second.status()] == [200, 200]
        assert await Caller(streams).status() == 503
        first.leaves.set()
        await first.task
        assert await Caller(streams).status() == 200

    asyncio.run(asyncio.wait_for(run(), 20))


def test_following_without_redis_is_refused() -> None:
    class Away(Log):
        async def follow(self) -> str:
            raise redis.ConnectionError

    async def run() -> None:
        assert await Caller(following(Away())).status() == 503

    asyncio.run(asyncio.wait_for(run(), 20))
