"""How long to wait for a body: as long as it arrives at a minimum average rate."""

import asyncio
from time import monotonic
from typing import Any

from a2wsgi.asgi_typing import Receive

MAX_SILENCE = 20.0
"""Seconds of silence that a client is allowed in total; bytes received restore them."""
MIN_BYTES_PER_SECOND = 2**14
"""Bytes per second. A client slower than this uses up `MAX_SILENCE`, then is cut off."""


class BodyDeadline:
    """A time allowance for one body, like a token bucket: waiting spends it, bytes restore it.

    Neither a long pause nor a slow trickle can hold a connection for ever. Only time spent waiting
    for the client counts, so a slow disk on our side is not charged to the sender.
    """

    def __init__(self) -> None:
        self._left = MAX_SILENCE
        self._is_over = False

    async def receive(self, receive: Receive) -> dict[str, Any]:
        """Receive the next event of the body; raises `TimeoutError` once the allowance is spent."""
        if self._left <= 0:
            raise TimeoutError
        started = monotonic()
        event = await self._received(receive)
        earned = len(event.get("body", b"")) / MIN_BYTES_PER_SECOND
        self._left = min(self._left - (monotonic() - started) + earned, MAX_SILENCE)
        return event

    async def _received(self, receive: Receive) -> dict[str, Any]:
        # Not `asyncio.timeout`, which takes four times as long.
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine is run by a task
        timer = asyncio.get_running_loop().call_later(self._left, self._end, task)
        try:
            return {**await receive()}
        except asyncio.CancelledError:
            if not self._is_over or task.uncancel():  # cancelled by another as well
                raise
            raise TimeoutError from None
        finally:
            timer.cancel()

    def _end(self, task: "asyncio.Task[Any]") -> None:
        self._is_over = True
        task.cancel()
