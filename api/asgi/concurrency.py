"""Bounds on what may hold threads, so that those who wait or upload never stop the rest."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import redis
from flask import Response

from telemetry.errors import Busy

log = logging.getLogger(__name__)
Known = TypeVar("Known")


class ConcurrencyLimit:
    """A number of places; who finds none goes without."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(max(count, 1))

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Hold a place, if there is one."""
        found = self._free.acquire(blocking=False)
        try:
            yield found
        finally:
            if found:
                self._free.release()

    def held(self, build: Callable[[ExitStack], Response]) -> Response:
        """A response that holds a place, and what it opened, until it is sent; raises `Busy`."""
        with ExitStack() as stack:
            if not stack.enter_context(self.one()):
                raise Busy("too many of these are being sent at this moment; try again")
            response = build(stack)
            response.call_on_close(stack.pop_all().close)
        return response

    def wait(self, id: str, wait: Callable[[], Known], known: Known) -> tuple[Known, bool]:
        """What waiting for an id gives, or what is known where nobody can; and whether one did."""
        with self.one() as free:
            try:
                return (wait() if free else known), free
            except redis.RedisError as error:
                # It was accepted, and its caller must learn the id.
                log.warning("could not wait: %s", error, extra={"id": id})
                return known, False
