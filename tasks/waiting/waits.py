"""All callers of a process that wait for outcomes.

The script that writes an outcome publishes it, so a caller is answered without a look-up. Ids that
this process gives out for a caller that waits name a channel of the process, and are heard over
one subscription; for all other ids the channel of the record is joined.
"""

import asyncio
import time
from collections.abc import Sequence

import redis

from tasks.gateway import Gateway
from tasks.ids import Ids
from tasks.ledger import keys
from tasks.ledger.subscription import Subscription
from tasks.record import TERMINAL
from tasks.waiting.wait import LOOK_AGAIN_SECONDS, Wait

WINDOW_IDS = 256
"""Predictions that are looked at in one round trip: Redis serves nothing else meanwhile."""
ID_CHARS = 36
"""Characters of an id at the start of a publication on the channel of a process."""


class Waits:
    """Callers that wait; belongs to one event loop."""

    def __init__(self, gateway: Gateway, url: str, most: int) -> None:
        """``url``: of Redis. ``most``: how many may wait at a time."""
        self._gateway, self._url, self._free = gateway, url, most
        self._waiting: dict[str, set[Wait]] = {}
        self._channel = keys.OUTCOMES + gateway.mark
        self._subscription: Subscription | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rechecking: asyncio.Task[None] | None = None
        self._is_rechecking = self._is_over = False

    async def begin(self, task_id: str) -> Wait | None:
        """A wait for an id, which hears of an outcome from now on; None if too many wait.

        It must be given to `end`.
        """
        return await self.begin_unbounded(task_id) if self._free > 0 else None

    async def begin_unbounded(self, task_id: str) -> Wait:
        """`begin` for a caller that is bounded otherwise, and so is never refused."""
        self._free -= 1
        wait = Wait(task_id, self._gateway.look_up_async, is_over=self._is_over)
        self._waiting.setdefault(task_id, set()).add(wait)
        try:
            await self._subscribed().join(self._channel_of(task_id))
        except BaseException:
            self.end(wait)
            raise
        return wait

    def end(self, wait: Wait | None) -> None:
        """Forget a wait, so that another caller may wait."""
        if wait is None:
            return
        self._free += 1
        others, channel = self._waiting[wait.task_id], self._channel_of(wait.task_id)
        others.discard(wait)
        if not others:
            del self._waiting[wait.task_id]
            if channel != self._channel and self._subscription is not None:
                self._subscription.leave(channel)

    def end_all(self) -> None:
        """End all waits after their next look-up: this process shuts down. Safe in any thread."""
        self._is_over = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end_all)

    def _subscribed(self) -> Subscription:
        loop = asyncio.get_running_loop()
        if self._subscription is None:
            self._loop, self._subscription = loop, Subscription(self._url, self._hear)
        if not self._is_rechecking:
            self._is_rechecking = True
            loop.call_later(LOOK_AGAIN_SECONDS, self._recheck, self._subscription)
        return self._subscription

    def _channel_of(self, task_id: str) -> str:
        has_own_mark = Ids.mark_of(task_id) == self._gateway.mark
        return self._channel if has_own_mark else keys.record(task_id)

    def _hear(self, channel: str, payload: bytes) -> None:
        if channel == self._channel:
            task_id, payload = payload[:ID_CHARS].decode("ascii", "replace"), payload[ID_CHARS:]
        else:
            task_id = channel.removeprefix(keys.RECORD)
        for wait in self._waiting.get(task_id, ()):
            wait.notify(payload)

    def _recheck(self, subscription: Subscription) -> None:
        """Look at everything that has waited for long; goes on as long as anything waits."""
        subscription.renew()
        if not self._waiting:
            self._is_rechecking = False
            return
        self._rechecking = asyncio.ensure_future(self._look_at_all(subscription))

    async def _look_at_all(self, subscription: Subscription) -> None:
        before = time.monotonic() - LOOK_AGAIN_SECONDS
        waits = [wait for each in self._waiting.values() for wait in each if wait.since < before]
        try:
            for start in range(0, len(waits), WINDOW_IDS):
                await self._look_at(waits[start : start + WINDOW_IDS])
        except redis.RedisError as error:
            for wait in waits:
                wait.fail(error)
        finally:
            asyncio.get_running_loop().call_later(LOOK_AGAIN_SECONDS, self._recheck, subscription)

    async def _look_at(self, waits: Sequence[Wait]) -> None:
        states = await self._gateway.ledger.states([wait.task_id for wait in waits])
        for wait, state in zip(waits, states, strict=True):
            if state is None or state in TERMINAL:
                wait.notify()

    def _end_all(self) -> None:
        for waits in self._waiting.values():
            for wait in waits:
                wait.end()
