"""How long a body is waited for: as long as it comes at a rate that is no dripping."""

import asyncio
from time import monotonic
from typing import Any

from a2wsgi.asgi_typing import Receive

MAX_SILENCE = 20.0
"""Seconds for which a client may be silent, once; what it sends gives them back."""
SLOWEST = 2**14
"""Bytes a second; who sends less for longer than `MAX_SILENCE` is gone."""


class BodyDeadline:
    """The seconds that the sender of one body has left: silence takes them, bytes give them back.

    So neither a pause nor a byte now and then holds what others need, and a slow disk on our own
    side, which keeps a body from being received, is not charged to its sender.
    """

    def __init__(self) -> None:
        self._left = MAX_SILENCE

    async def hear(self, receive: Receive) -> dict[str, Any]:
        """The next event of a body; raises `TimeoutError` where it does not come in time."""
        if self._left <= 0:
            raise TimeoutError
        started = monotonic()
        async with asyncio.timeout(self._left):
            event: dict[str, Any] = {**await receive()}
        earned = len(event.get("body", b"")) / SLOWEST
        self._left = min(self._left - (monotonic() - started) + earned, MAX_SILENCE)
        return event
