"""Bounds what is parsed at a time, by its bytes: once it is built, JSON takes many times those."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from telemetry.errors import Busy

MAX_BYTES_IN_FLIGHT = 32 * 2**20
"""Bytes of bodies that are parsed at a time."""
UNCOUNTED_BYTES = 2**16
"""Bytes of a body that never waits; the threads bound how many there are."""
WAIT_TIMEOUT = 1.0
"""Seconds that a body waits for others to be done."""


class ParseBudget:
    """Bytes that requests hold for as long as they need what was built of them."""

    def __init__(self, largest: int) -> None:
        """``largest`` is the size of the greatest body, for which there is always room in turn."""
        self._left = max(MAX_BYTES_IN_FLIGHT, largest)
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Hold so many bytes; raises `Busy` where others hold them for too long."""
        if size <= UNCOUNTED_BYTES:
            yield
            return
        self._take(size)
        try:
            yield
        finally:
            self._give_back(size)

    def _take(self, size: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._left >= size, WAIT_TIMEOUT):
                raise Busy("too many large requests are being read at this moment; try again")
            self._left -= size

    def _give_back(self, size: int) -> None:
        with self._changed:
            self._left += size
            self._changed.notify_all()
