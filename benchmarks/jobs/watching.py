"""Samples the memory of all processes of a system."""

import threading
from typing import Self

from benchmarks.harness.processes import Processes

LOOK_SECONDS = 0.5
"""Seconds between samples, which cost CPU time themselves."""
NAMES = "redis", "api", "worker", "bulk"


class Memory:
    """A context that records the peak sum of PSS in bytes."""

    def __init__(self, processes: Processes) -> None:
        self._processes, self._over = processes, threading.Event()
        self.greatest = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        self.greatest = max(self.greatest, sum(map(self._processes.pss, NAMES)))
