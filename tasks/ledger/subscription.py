"""A subscription on an event loop: one connection per process, for callers that wait there."""

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool

from telemetry.log_throttle import LogThrottle

log = logging.getLogger(__name__)
RECONNECT_SECONDS = 0.5
"""Seconds between two tries to connect."""
CONNECT_TIMEOUT = 1.5
"""Seconds that a try may take."""
JOIN_TIMEOUT = 0.3
"""Seconds that a caller waits for Redis to confirm a channel."""
MAX_LEFT_BEHIND = 64
"""Channels that are left with one command: that costs less than one command for each."""


class Subscription:
    """Joins and leaves channels of Redis; belongs to one event loop.

    Publications are missed while the connection is lost, so callers also look by themselves.
    """

    def __init__(self, url: str, hear: Callable[[str, bytes], None]) -> None:
        """``hear`` is called with the channel and the payload of each publication."""
        # Protocol 2: confirmations and publications come as plain lists.
        self._pool: ConnectionPool = ConnectionPool.from_url(
            url, protocol=2, socket_timeout=None, socket_connect_timeout=CONNECT_TIMEOUT
        )
        self._hear, self._losses = hear, LogThrottle()
        self._joined: dict[str, asyncio.Event] = {}
        """Channel → set once Redis has confirmed it."""
        self._joining: list[str] = []
        self._leaving: list[str] = []
        self._changed = asyncio.Event()
        self._is_silent = self._is_lost = False
        self._task: asyncio.Task[None] | None = None

    async def join(self, channel: str) -> None:
        """Join a channel; returns once Redis has confirmed it, or if it does not in time."""
        if self._task is None:
            self._start()
        if channel not in self._joined:
            self._joined[channel] = asyncio.Event()
            self._joining.append(channel)
            self._changed.set()
        confirmed = self._joined[channel]
        if not confirmed.is_set() and not self._is_lost:
            with suppress(TimeoutError):
                await asyncio.wait_for(confirmed.wait(), JOIN_TIMEOUT)

    def leave(self, channel: str) -> None:
        """Leave a channel. Redis is told later, with others."""
        if self._joined.pop(channel, None) is not None:
            self._leaving.append(channel)
            if len(self._leaving) >= MAX_LEFT_BEHIND:
                self._changed.set()

    def renew(self) -> None:
        """Tell Redis what was left; reconnect if it was silent since the last call."""
        if self._is_silent and self._task is not None:
            self._task.cancel()
            self._start()
        self._is_silent = True
        self._changed.set()

    def _start(self) -> None:
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (redis.RedisError, OSError) as error:
                self._is_lost = True
                if many := self._losses.count():
                    log.warning("lost the subscription %s times, the last: %r", many, error)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]  # no type there
        await connection.connect()  # type: ignore[no-untyped-call]  # no type there
        self._is_lost = False
        self._join_all_again()
        telling = asyncio.ensure_future(self._tell_changes(connection))
        try:
            while True:
                self._take(await connection.read_response(timeout=math.inf))
        finally:
            telling.cancel()
            await connection.disconnect(nowait=True)

    def _join_all_again(self) -> None:
        for confirmed in self._joined.values():
            confirmed.clear()
        self._joining, self._leaving = list(self._joined), []
        self._changed.set()

    async def _tell_changes(self, connection: AbstractConnection) -> None:
        # The reader notices a lost connection as well, and makes another one.
        with suppress(redis.RedisError):
            while await self._changed.wait():
                self._changed.clear()
                for command in self._commands():
                    await connection.send_command(*command)

    def _commands(self) -> list[tuple[str, ...]]:
        joining = [channel for channel in self._joining if channel in self._joined]
        leaving = [channel for channel in self._leaving if channel not in self._joined]
        self._joining, self._leaving = [], []
        told = [("SUBSCRIBE", *joining), ("UNSUBSCRIBE", *leaving)]
        # The answer to PING shows that the connection still works.
        return [command for command in told if len(command) > 1] + [("PING",)] * self._is_silent

    def _take(self, event: Any) -> None:
        self._is_silent = False
        match event:
            case [b"message", channel, payload]:
                self._hear(channel.decode(), payload)
            case [b"subscribe", channel, _] if confirmed := self._joined.get(channel.decode()):
                confirmed.set()
