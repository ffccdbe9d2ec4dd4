"""One caller's stream of events: from where it starts, what it says, and when it ends."""

import asyncio
import time
from collections.abc import Callable

import msgspec
import redis

from api.asgi.server_sent_events import HEARTBEAT, STREAM_HEARTBEAT_SECONDS, StreamSender
from api.http.urls import Urls
from tasks.events.log import Event, EventLog
from tasks.events.news import News

GATHER_SECONDS = 0.05
"""Seconds between two reads for one caller: events that come meanwhile are sent together."""
READ_AGAIN_SECONDS = 1.0
"""Seconds between two tries to read while Redis is away."""


class OutcomeEvent(msgspec.Struct, frozen=True):
    """The event that a prediction has an outcome."""

    id: str
    status: str
    model: str
    version: int
    urls: Urls


class Gap(msgspec.Struct, frozen=True):
    """The event that others may be missing before the next one."""

    detail: str = "events before this one are no longer kept, so some may be missing"


class EventStream:
    """A stream to one caller. Its memory is that of one page, however slowly the caller reads."""

    def __init__(
        self,
        log: EventLog,
        news: News,
        sender: StreamSender,
        sees: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """``sees``: whether the caller sees a model."""
        self._log, self._news, self._sender, self._sees = log, news, sender, sees
        self._followed_at = time.monotonic()

    async def run(self, after: str | None) -> None:
        """Send events after a position until this process shuts down; None: from now on.

        Raises `redis.RedisError` if nothing was sent yet, and `TimeoutError` for a caller that
        does not read.
        """
        await self._news.listen()
        present = await self._log.follow()
        await self._sender.begin()
        if after is None:
            # An id alone is no event, but a caller that reconnects continues from it.
            await self._sender.send(b"id: %b\n\n" % present.encode())
        position = after or present
        while not self._news.is_over:
            position = await self._continue(position)
        await self._sender.end()

    async def _continue(self, position: str) -> str:
        """Send the events after a position, and wait for more; returns the new position."""
        upcoming = self._news.upcoming()
        try:
            await self._keep_followed()
            page = await self._log.read(position)
            if page is None:
                position = await self._log.follow()
                await self._sender.send(_written("gap", position, Gap()))
                return position
        except redis.RedisError:
            await self._pause(READ_AGAIN_SECONDS)
            return position
        if told := [each for each in page.events if self._sees(each.version.rpartition(":")[0])]:
            await self._sender.send(b"".join(map(_outcome, told)))
        if page.is_last:
            await self._news.wait(upcoming, self._sender.until_heartbeat())
            await self._pause(GATHER_SECONDS)
        return page.position

    async def _keep_followed(self) -> None:
        if time.monotonic() > self._followed_at + STREAM_HEARTBEAT_SECONDS:
            await self._log.follow()
            self._followed_at = time.monotonic()

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not self._sender.until_heartbeat():
            await self._sender.send(HEARTBEAT)


def _outcome(event: Event) -> bytes:
    model, _, version = event.version.rpartition(":")
    number = int(version) if version.isdecimal() else 0
    told = OutcomeEvent(event.id, event.status, model, number, Urls.of(event.id))
    return _written("outcome", event.position, told)


def _written(kind: str, position: str, told: msgspec.Struct) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        position.encode(),
        kind.encode(),
        msgspec.json.encode(told),
    )
