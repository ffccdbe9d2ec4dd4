"""Limits how many threads long requests (waits, uploads, downloads) may occupy at once."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import redis
from flask import Response

from telemetry.errors import Busy

log = logging.getLogger(__name__)
ReturnType = TypeVar("ReturnType")


class ConcurrencyLimit:
    """A fixed number of slots, taken without blocking."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(max(count, 1))

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Hold a slot for the context, if one is free; yields whether it was."""
        # Waiting for a slot would occupy the very thread that the limit keeps free.
        found = self._free.acquire(blocking=False)
        try:
            yield found
        finally:
            if found:
                self._free.release()

    def limited(self, build: Callable[[ExitStack], Response]) -> Response:
        """Build a response that keeps a slot, and what ``build`` opened, until it is sent.

        Raises `Busy` where no slot is free.
        """
        with ExitStack() as stack:
            if not stack.enter_context(self.one()):
                raise Busy("too many answers of this kind are being sent; try again later")
            response = build(stack)
            # Not at the end of this block: the response is sent later, piece by piece.
            response.call_on_close(stack.pop_all().close)
        return response

    def wait(
        self, id: str, wait: Callable[[], ReturnType], known: ReturnType
    ) -> tuple[ReturnType, bool]:
        """Wait for an id if a slot is free.

        Returns the result of ``wait``, or ``known`` without a slot or without Redis; and whether
        it waited.
        """
        with self.one() as free:
            try:
                return (wait() if free else known), free
            except redis.RedisError as error:
                # The prediction was accepted, so the caller must get its id and not an error.
                log.warning("could not wait: %s", error, extra={"id": id})
                return known, False
