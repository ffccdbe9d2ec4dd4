"""Rate-limited log lines for frequent events: the first at once, then one a period with a count."""

import threading
import time
from collections.abc import Callable

THROTTLE_SECONDS = 30.0
"""Seconds between two lines."""


class LogThrottle:
    """Counts events, and says when to log; safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._next, self._count = float("-inf"), 0

    def count(self) -> int:
        """Events since the last log line, including this one; 0 if nothing is to be logged now."""
        with self._lock:
            self._count += 1
            if (now := self._clock()) < self._next:
                return 0
            told, self._count, self._next = self._count, 0, now + THROTTLE_SECONDS
            return told
