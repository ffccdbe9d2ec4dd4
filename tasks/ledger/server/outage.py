"""An outage of Redis as one caller sees it: logged once, retried with growing pauses."""

import logging
from collections.abc import Iterator
from random import uniform

log = logging.getLogger(__name__)
FIRST_RETRY_PAUSE, MAX_RETRY_PAUSE = 0.25, 4.0
"""Seconds of the first and the longest pause. Each pause is twice the one before, and is shortened
at random by up to half, so that many waiting processes do not retry at the same moment."""


def pauses() -> Iterator[float]:
    """Yield the seconds to wait before each next try, without end."""
    longest = FIRST_RETRY_PAUSE
    while True:
        yield longest * uniform(0.5, 1)  # noqa: S311 - no secret
        longest = min(2 * longest, MAX_RETRY_PAUSE)


class Outage:
    """Lasts from the first error to the next success; only these two are logged."""

    def __init__(self, what: str) -> None:
        """``what`` is the log message of the first error, such as "Redis refuses writes"."""
        self._what = what
        self._tries = 0
        self._pauses = pauses()

    def goes_on(self, error: Exception) -> float:
        """Record a failed try; returns the seconds to wait before the next."""
        if not self._tries:
            log.warning("%s; retrying: %s", self._what, error)
        self._tries += 1
        return next(self._pauses)

    def is_over(self) -> None:
        """Record a successful try."""
        if self._tries:
            log.warning("Redis is back after %s tries", self._tries)
            self._tries, self._pauses = 0, pauses()
