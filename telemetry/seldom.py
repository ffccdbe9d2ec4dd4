"""A log line for what happens many times: the first at once, then one in a while with the count."""

import threading
import time
from collections.abc import Callable

PERIOD = 30.0
"""Seconds from one line to the next."""


class Seldom:
    """Counts, and says when to tell; threads may share one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._next, self._count = float("-inf"), 0

    def count(self) -> int:
        """How often it happened since it was last told, this time included; 0 where not to tell."""
        with self._lock:
            self._count += 1
            if (now := self._clock()) < self._next:
                return 0
            told, self._count, self._next = self._count, 0, now + PERIOD
            return told
