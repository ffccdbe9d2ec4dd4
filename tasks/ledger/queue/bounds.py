"""What a queue may hold, which must fit what Redis may hold."""

import msgspec

QUEUE_SHARE = 4
"""A quarter of Redis's memory: outcomes, dead letters and jobs need the rest."""


class Bounds(msgspec.Struct, frozen=True):
    """Beyond either, submissions are refused."""

    rows: int
    bytes: int

    def within(self, maxmemory: int) -> "Bounds":
        """The same, but no more than the queue's share of so many bytes; 0 is no bound."""
        share = maxmemory // QUEUE_SHARE
        return Bounds(self.rows, min(self.bytes, share) if maxmemory else self.bytes)
