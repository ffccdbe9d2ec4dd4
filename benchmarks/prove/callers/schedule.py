"""Calls that are due at a certain time."""

import heapq
import itertools
import time
from collections.abc import Callable


class Schedule:
    """Calls in the order of their times, in `time.monotonic` seconds."""

    def __init__(self) -> None:
        self._plan: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, due: float, act: Callable[[], None]) -> None:
        """Call a function once at that time."""
        heapq.heappush(self._plan, (due, next(self._order), act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Call a function once in so many seconds."""
        self.at(time.monotonic() + seconds, act)

    def run_due(self) -> None:
        """Make all calls that are due."""
        while self._plan and self._plan[0][0] <= time.monotonic():
            heapq.heappop(self._plan)[2]()

    def seconds_left(self, most: float) -> float:
        """Seconds until the next call; ``most`` if that is sooner."""
        return min(self._plan[0][0] - time.monotonic(), most) if self._plan else most
