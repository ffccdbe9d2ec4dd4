"""One caller that waits for one prediction, and how it is woken."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import redis

from tasks.ledger.ledger import MAX_RECORD_ON_LOOP, RecordTooLong, read_record
from tasks.record import Record

LOOK_AGAIN_SECONDS = 1.0
"""Seconds between two looks at what is waited for, in case a publication was missed."""


class Wait:
    """One caller's wait. It belongs to the event loop, as all of its methods do."""

    def __init__(
        self, task_id: str, look_up: Callable[[str], Awaitable[Record]], *, is_over: bool
    ) -> None:
        """``is_over``: nothing may be waited for any more, since this process shuts down."""
        self.task_id, self.since, self.is_over = task_id, time.monotonic(), is_over
        self._look_up = look_up
        self._is_notified, self._heard = False, b""
        self._error: redis.RedisError | None = None
        self._woken: asyncio.Future[None] | None = None

    def notify(self, heard: bytes = b"") -> None:
        """Wake the caller for an outcome: the published one, ``heard``, else one to look up."""
        self._is_notified, self._heard = True, heard
        self._wake()

    def fail(self, error: redis.RedisError) -> None:
        """End the waiting, because outcomes cannot be read."""
        self._error = error
        self._wake()

    def end(self) -> None:
        """End the waiting: the caller has left, or this process shuts down."""
        self.is_over = True
        self._wake()

    async def outcome(self, known: Record, seconds: float) -> Record:
        """The record once it is terminal, or its current state after ``seconds``.

        ``known``: the record so far. Raises `redis.RedisError`, `RecordTooLong` for an outcome that
        a thread should read, and the errors of `Gateway.look_up`.
        """
        record, until = known, time.monotonic() + seconds
        while not record.is_terminal:
            if not (self.is_over or self._is_notified or self._error):
                await self._sleep(min(until - time.monotonic(), _until_overdue(record)))
            is_last = self.is_over or time.monotonic() >= until
            record = await self._next()
            if is_last:
                break
        return record

    async def _next(self) -> Record:
        if self._error is not None:
            raise self._error
        heard, self._heard, self._is_notified = self._heard, b"", False
        if len(heard) > MAX_RECORD_ON_LOOP:
            raise RecordTooLong
        found = read_record(self.task_id, heard) if heard else None
        return found or await self._look_up(self.task_id)

    async def _sleep(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        timer = loop.call_later(max(seconds, 0.0), self._wake)
        try:
            await self._woken
        finally:
            timer.cancel()
            self._woken = None

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


def _until_overdue(record: Record) -> float:
    """Seconds until a look-up would expire the prediction; without a worker nothing else does."""
    if record.queue_deadline is None or not record.is_in_queue:
        return float("inf")
    left = record.queue_deadline - time.time()
    # Redis's clock decides, and may be behind the one of this host.
    return left if left > 0 else LOOK_AGAIN_SECONDS
