"""Sums up the model calls of a process, and adds the sums up in Redis every few seconds."""

import time
from collections.abc import Callable

import redis

from tasks.timeline.call_sums import CallSums, add_calls

NoteCall = Callable[[str, int, int, float, float], None]
"""Takes a model call: `CallCounter.note`."""
ADD_SECONDS = 5.0
"""Seconds between two additions while there is work. What a process that is killed has not added
is missing: these are figures, not outcomes."""


class CallCounter:
    """The sums of one process. Raises nothing: predictions do not depend on them."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._clock = client, clock
        self._sums: dict[str, list[int]] = {}
        self._began = 0.0

    @property
    def waits(self) -> bool:
        """Whether there are calls that are not added."""
        return bool(self._sums)

    def note(
        self, version: str, requests: int, rows: int, queue_seconds: float, model_ms: float
    ) -> None:
        """Note a call. ``queue_seconds``: the sum over its requests."""
        if not self._sums:
            self._began = self._clock()
        taken = round(model_ms * 1e3)
        sums = self._sums.setdefault(version, [0] * len(CallSums.__struct_fields__))
        call = (1, requests, rows, round(queue_seconds * 1e6), taken, rows * rows, rows * taken)
        for place, amount in enumerate(call):
            sums[place] += amount

    def write_if_due(self) -> None:
        """Add what was noted, unless the last addition was just now."""
        if self._sums and self._clock() - self._began > ADD_SECONDS:
            self.write()

    def write(self) -> None:
        """Add what was noted; without Redis, which the ledger tells of, it is dropped."""
        sums, self._sums = self._sums, {}
        try:
            add_calls(self._client, {v: CallSums(*each) for v, each in sums.items()})
        except redis.RedisError:
            return
