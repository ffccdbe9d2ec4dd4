"""Bounds on what may hold threads, so that those who wait or send slowly never stop the rest."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """A number of places; who finds none within a moment goes without."""

    def __init__(self, count: int, patience: float) -> None:
        self._free = threading.BoundedSemaphore(max(count, 1))
        self._patience = patience

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Hold a place, if there is one."""
        found = self._free.acquire(timeout=self._patience)
        try:
            yield found
        finally:
            if found:
                self._free.release()
