"""Whether Redis has memory for the outcomes of what it accepts.

An outcome is written even to a full Redis, because its prediction was accepted. Only the admission
can bound what all outcomes take together. The script that accepts gets bounds of nothing then, so
that it still answers a repeated submission with the id of the earlier one.
"""

import logging
import threading
import time

import redis

from tasks.ledger.queue.bounds import Bounds

log = logging.getLogger(__name__)
HIGH = 0.75
"""Share of ``maxmemory`` above which no more is accepted. The rest is for the outcomes of what was
accepted before."""
GAUGE_SECONDS = 1.0
CLOSED = Bounds(0, 0)
"""Bounds that accept nothing."""


class MemoryGauge:
    """What Redis last said of its memory; asked at most once a second, and only under traffic."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._is_high = False
        self._next = 0.0
        self._asking = threading.Lock()

    def within(self, bounds: Bounds) -> Bounds:
        """These bounds, or `CLOSED` if Redis is nearly full. Never waits for Redis."""
        known = CLOSED if self._is_high else bounds
        if time.monotonic() >= self._next and self._asking.acquire(blocking=False):
            # In a thread, since an event loop calls this as well; `_look` releases the lock there.
            threading.Thread(target=self._look, name="memory gauge", daemon=True).start()
        return known

    def _look(self) -> None:
        try:
            told = self._client.info("memory")
            most = int(told.get("maxmemory", 0))
            self._note(bool(most) and int(told.get("used_memory", 0)) > HIGH * most)
        except (redis.RedisError, ValueError):
            pass  # outages are reported elsewhere, and some managed services forbid INFO
        finally:
            self._next = time.monotonic() + GAUGE_SECONDS
            self._asking.release()

    def _note(self, is_high: bool) -> None:
        if is_high and not self._is_high:
            log.error("Redis is nearly full: submissions are refused until outcomes have expired")
        elif self._is_high and not is_high:
            log.warning("Redis has memory again: submissions are accepted")
        self._is_high = is_high
