"""Whether Redis has room for the outcomes of what it accepts.

An outcome is written even to a full Redis, because its prediction was accepted. Only the admission
can bound what all outcomes take together.
"""

import logging
import threading
import time

import redis

from telemetry.errors import QueueFull

log = logging.getLogger(__name__)
HIGH = 0.75
"""Share of ``maxmemory`` above which no more is accepted. The rest is for the outcomes of what was
accepted before."""
GAUGE_SECONDS = 1.0
RETRY_AFTER = 10
"""Seconds of ``Retry-After``: outcomes expire, but it is unknown which next."""


class MemoryGauge:
    """What Redis last said of its memory; asked at most once a second, and only under traffic."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._is_high = False
        self._next = 0.0
        self._asking = threading.Lock()

    def check(self) -> None:
        """Raise `QueueFull` if Redis is nearly full. Never waits for Redis."""
        if time.monotonic() >= self._next and self._asking.acquire(blocking=False):
            # In a thread, since an event loop calls this as well; `_look` releases the lock there.
            threading.Thread(target=self._look, name="memory gauge", daemon=True).start()
        if self._is_high:
            detail = (
                f"Redis uses more than {HIGH:.0%} of its memory; the rest is for the outcomes of "
                "accepted predictions"
            )
            raise QueueFull(detail, retry_after=RETRY_AFTER)

    def _look(self) -> None:
        try:
            told = self._client.info("memory")
            most = int(told.get("maxmemory", 0))
            is_high = bool(most) and int(told["used_memory"]) > HIGH * most
        except redis.RedisError:
            is_high = self._is_high  # an outage has messages of its own; some services forbid INFO
        else:
            self._tell(is_high)
        self._is_high, self._next = is_high, time.monotonic() + GAUGE_SECONDS
        self._asking.release()

    def _tell(self, is_high: bool) -> None:
        if is_high and not self._is_high:
            log.error("Redis is nearly full: submissions are refused until outcomes have expired")
        elif self._is_high and not is_high:
            log.warning("Redis has room again: submissions are accepted")
