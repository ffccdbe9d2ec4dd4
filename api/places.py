"""Bounds on what may hold threads, so that those who wait or upload never stop the rest."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import redis

log = logging.getLogger(__name__)
Known = TypeVar("Known")


class Places:
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

    def wait(self, id: str, wait: Callable[[], Known], known: Known) -> tuple[Known, bool]:
        """What waiting for an id gives, or what is known where nobody can; and whether one did."""
        with self.one() as free:
            try:
                return (wait() if free else known), free
            except redis.RedisError as error:
                # It was accepted, and its caller must learn the id.
                log.warning("could not wait: %s", error, extra={"id": id})
                return known, False
