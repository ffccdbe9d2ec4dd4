"""Measures what the pool processes of a worker do: how many are busy, and how fast they are."""

import math
import time

BUSY_WINDOW = 5.0
"""Seconds over which the number of busy processes is averaged; older ones count ever less."""
SPEED_WINDOW = 10.0
"""Seconds of computing over which the speed is averaged. Time in which nothing is computed does not
count, so the speed is known as long as the worker lives."""


class Workload:
    """Averages that follow the microbatches of one worker."""

    def __init__(self) -> None:
        self._busy, self._mean, self._counted_to = 0, 0.0, time.monotonic()
        self._rows = self._seconds = 0.0

    def begin(self) -> None:
        """A process has begun a microbatch."""
        self._count_time()
        self._busy += 1

    def end(self, rows: int, seconds: float) -> None:
        """A process has ended one of so many rows, which it was busy with for so long."""
        self._count_time()
        self._busy -= 1
        kept = math.exp(-seconds / SPEED_WINDOW)
        self._rows = self._rows * kept + rows
        self._seconds = self._seconds * kept + seconds

    @property
    def busy(self) -> float:
        """How many processes computed at the same time, on average."""
        self._count_time()
        return self._mean

    @property
    def rows_per_second(self) -> float | None:
        """Rows that one process computes in a second; None until a microbatch has ended."""
        return self._rows / self._seconds if self._seconds else None

    def _count_time(self) -> None:
        now = time.monotonic()
        kept = math.exp(-(now - self._counted_to) / BUSY_WINDOW)
        self._mean = self._busy + (self._mean - self._busy) * kept
        self._counted_to = now
