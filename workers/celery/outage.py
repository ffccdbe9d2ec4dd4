"""An outage of Redis as one caller meets it: said once, waited out with growing pauses."""

import logging
from collections.abc import Iterator
from random import uniform

log = logging.getLogger(__name__)
FIRST_RETRY_PAUSE, MAX_RETRY_PAUSE = 0.25, 4.0
"""Seconds of the first pause and of the longest; each is twice the one before, and up to a half
shorter by chance, so that many who wait do not ask all at once."""


def pauses() -> Iterator[float]:
    """Seconds to wait before each of the next tries, without end."""
    longest = FIRST_RETRY_PAUSE
    while True:
        yield longest * uniform(0.5, 1)  # noqa: S311 - no secret
        longest = min(2 * longest, MAX_RETRY_PAUSE)


class Outage:
    """Begins with an error and ends with the next success; both are logged, and nothing between."""

    def __init__(self, what: str) -> None:
        """``what`` cannot be done meanwhile."""
        self._what = what
        self._tries = 0
        self._pauses = pauses()

    def goes_on(self, error: Exception) -> float:
        """One more try was in vain; gives the seconds until the next."""
        if not self._tries:
            log.warning("%s, and is tried again: %s", self._what, error)
        self._tries += 1
        return next(self._pauses)

    def is_over(self) -> None:
        """A try got through."""
        if self._tries:
            log.warning("Redis is back after %s tries", self._tries)
            self._tries, self._pauses = 0, pauses()
