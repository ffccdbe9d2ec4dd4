"""Bounds what is parsed or sent at a time, by its bytes.

Once it is built, JSON takes many times those; and who reads slowly has an answer held for long.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from telemetry.errors import Busy

MAX_BYTES_IN_FLIGHT = 32 * 2**20
"""Bytes of bodies that are parsed at a time, and of answers that are sent."""
UNCOUNTED_BYTES = 2**16
"""Bytes of a body that never waits; threads and connections bound how many there are."""
WAIT_TIMEOUT = 1.0
"""Seconds that a body waits for others to be done."""


class ParseBudget:
    """Bytes that requests hold for as long as they need what was built of them."""

    def __init__(
        self, largest: int, doing: str = "requests are being read", *, patient: bool = True
    ) -> None:
        """``largest`` is the size of the greatest body, for which there is always room in turn.

        ``doing`` says what too many do where there is no room, and ``patient`` whether a thread
        waits a moment for it.
        """
        self._left = self._most = max(MAX_BYTES_IN_FLIGHT, largest)
        self._doing = doing
        self._patience = WAIT_TIMEOUT if patient else 0.0
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Hold so many bytes; raises `Busy` where others hold them for too long."""
        if size <= UNCOUNTED_BYTES:
            yield
            return
        held = min(size, self._most)
        self._take(held)
        try:
            yield
        finally:
            self._give_back(held)

    def _take(self, size: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._left >= size, self._patience):
                raise Busy(f"too many large {self._doing} at this moment; try again")
            self._left -= size

    def _give_back(self, size: int) -> None:
        with self._changed:
            self._left += size
            self._changed.notify_all()
