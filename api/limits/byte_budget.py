"""Bounds the bytes that are parsed or sent at a time.

Parsed JSON takes many times its size in memory, and a slow reader keeps an answer in memory for
a long time.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from telemetry.errors import Busy

MAX_BYTES_IN_FLIGHT = 32 * 2**20
"""Bytes of bodies parsed at a time; a second budget of this size is for answers being sent."""
UNCOUNTED_BYTES = 2**16
"""A body up to this size is not counted: threads and connections bound how many there are."""
WAIT_TIMEOUT = 1.0
"""Seconds that a body waits for others to finish."""


class ByteBudget:
    """A budget in bytes, shared by all threads of the process."""

    def __init__(
        self, largest: int, doing: str = "requests are being read", *, patient: bool = True
    ) -> None:
        """``largest``: the greatest body in bytes; the budget is never smaller than that.

        ``doing``: the words in the `Busy` message. ``patient``: whether to wait up to
        `WAIT_TIMEOUT` for capacity, or to fail at once.
        """
        self._left = self._most = max(MAX_BYTES_IN_FLIGHT, largest)
        self._doing = doing
        self._timeout = WAIT_TIMEOUT if patient else 0.0
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Hold ``size`` bytes for the context; raises `Busy` where the budget is exhausted."""
        if size <= UNCOUNTED_BYTES:
            yield
            return
        # A body above the whole budget waits for all of it, or it could never be parsed.
        taken = min(size, self._most)
        self._take(taken)
        try:
            yield
        finally:
            self._give_back(taken)

    def _take(self, size: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._left >= size, self._timeout):
                raise Busy(f"too many large {self._doing} are in progress; try again later")
            self._left -= size

    def _give_back(self, size: int) -> None:
        with self._changed:
            self._left += size
            # All of them: the one that waits longest may need more than there is, another less.
            self._changed.notify_all()
