"""Holds back a slow version while versions that are not slow need the last free process."""

import time
from collections.abc import Iterator

from workers.microbatch.batch_size import BatchSizes
from workers.microbatch.gathered import MicrobatchKey
from workers.pool.pools import Pools

MAX_HELD_BACK = 64
"""Messages of slow versions that may wait here while a process is free, so that the worker finds
what waits behind them on the queue. Other workers could start them sooner, so they are few."""
RECENT_SECONDS = 60.0
"""Seconds for which a version counts as asked for after its latest message."""


class SlowVersions:
    """Decides which groups are held back, from the run times and from what is asked for."""

    def __init__(self, batch_sizes: BatchSizes, pool: Pools) -> None:
        self._batch_sizes, self._pool = batch_sizes, pool
        self._asked: dict[str, float] = {}
        """Version, as model:version → `time.monotonic` of its latest message."""

    def note(self, reference: str | None) -> None:
        """Record a message; one without a version says nothing."""
        if reference is not None:
            self._asked[reference] = time.monotonic()

    def is_held_back(self, group: MicrobatchKey) -> bool:
        """Whether a slow version leaves the last free process to versions that are not slow."""
        if not self._batch_sizes.of(group.reference, group.method).is_slow or self._pool.has_spare:
            return False
        slow = self._batch_sizes.slow_versions()  # its own version is one of them
        return any(reference not in slow for reference in self._asked_lately())

    def _asked_lately(self) -> Iterator[str]:
        """The versions that were asked for in the last `RECENT_SECONDS`."""
        since = time.monotonic() - RECENT_SECONDS
        return (reference for reference, asked in self._asked.items() if asked > since)
