"""Wakes callers of one process when there are new events."""

import asyncio
from contextlib import suppress

from tasks.ledger import keys
from tasks.ledger.subscription import Subscription

RENEW_SECONDS = 5.0


class News:
    """One subscription for all callers that follow events; belongs to one event loop."""

    def __init__(self, url: str) -> None:
        """``url``: of Redis."""
        self._url = url
        self._subscription: Subscription | None = None
        self._next = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_over = False
        """Whether this process shuts down."""

    async def listen(self) -> None:
        """Subscribe to events from now on."""
        if self._subscription is None:
            self._loop = asyncio.get_running_loop()
            self._subscription = Subscription(self._url, lambda *_: self._tell())
            self._loop.call_later(RENEW_SECONDS, self._renew)
        await self._subscription.join(keys.EVENTS)

    def upcoming(self) -> asyncio.Event:
        """An event that is set with the next outcome, or if this process shuts down."""
        return self._next

    async def wait(self, upcoming: asyncio.Event, seconds: float) -> None:
        """Wait for what `upcoming` returned, at most so long."""
        if not self.is_over:
            with suppress(TimeoutError):
                await asyncio.wait_for(upcoming.wait(), seconds)

    def end_all(self) -> None:
        """End all waiting: this process shuts down. Safe in any thread."""
        self.is_over = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._tell)

    def _renew(self) -> None:
        """Notice a connection that was lost without being closed."""
        if self._subscription is not None and self._loop is not None and not self.is_over:
            self._subscription.renew()
            self._loop.call_later(RENEW_SECONDS, self._renew)

    def _tell(self) -> None:
        told, self._next = self._next, asyncio.Event()
        told.set()
