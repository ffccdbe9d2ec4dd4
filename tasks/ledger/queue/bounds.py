"""Bounds of a queue, which must fit into Redis's memory."""

import msgspec
from msgspec.structs import replace

from tasks.callers.quotas import NO_QUOTAS, Quotas

QUEUE_SHARE = 4
"""The queue may take a quarter of Redis's memory; outcomes, dead letters and jobs need the rest."""


class Bounds(msgspec.Struct, frozen=True):
    """Above either bound, submissions are refused."""

    rows: int
    bytes: int
    quotas: Quotas = NO_QUOTAS
    """How much of it one tenant may take."""

    def within(self, maxmemory: int) -> "Bounds":
        """These bounds, lowered to the queue's share of ``maxmemory`` bytes; 0 is unlimited."""
        share = maxmemory // QUEUE_SHARE
        return replace(self, bytes=min(self.bytes, share)) if maxmemory else self
