"""Notices that models left so much behind in a pool process that it should be replaced."""

import resource
import threading

from workers.memory_limit import data_bytes

MAX_THREADS_LEFT = 32
"""Most threads that models may leave running in a pool process."""


class Wear:
    """Compares this process with what it was at its start, and with its memory limit."""

    def __init__(self) -> None:
        limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
        self._start, self._threads = data_bytes(), threading.active_count()
        # At half of what it may grow by, so that a leak ends a process between two microbatches,
        # and not by failing one.
        self._most = None if limit == resource.RLIM_INFINITY else (limit - self._start) // 2

    def reason(self) -> str:
        """Why the process should be replaced; empty if it need not be."""
        grown = data_bytes() - self._start
        if self._most is not None and grown > self._most:
            return f"it has grown by {grown // 2**20} MiB, more than half of what it may"
        left = threading.active_count() - self._threads
        if left > MAX_THREADS_LEFT:
            return f"models have left {left} threads running in it"
        return ""
