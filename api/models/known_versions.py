"""What the ledger knows of versions, without ghosts (versions removed from the registry)."""

import msgspec

from registry.store import Registry
from tasks.ledger.ledger import Ledger
from tasks.ledger.pauses.pauses import Paused, Pauses
from tasks.ledger.queue.queue_snapshot import QueueSnapshot, QueueSnapshots
from tasks.ledger.statistics import Statistics


class KnownVersions:
    """Reads statistics, pauses and queue snapshots, and leaves out ghosts."""

    def __init__(self, ledger: Ledger, pauses: Pauses, registry: Registry) -> None:
        self._ledger = ledger
        self._pauses = pauses
        self._registry = registry
        self._snapshots = QueueSnapshots(ledger.client)

    def paused(self) -> list[Paused]:
        """Every version that is paused."""
        return [p for p in self._pauses.all() if not self._registry.has_removed(p.model)]

    def statistics(self) -> list[Statistics]:
        """Counts and latencies of every version that has had an outcome."""
        return [s for s in self._ledger.statistics() if not self._registry.has_removed(s.reference)]

    def snapshot(self, queue: str) -> QueueSnapshot:
        """The queue snapshot of a queue."""
        found = self._snapshots.of(queue)
        there = frozenset(v for v in found.paused if not self._registry.has_removed(v))
        return msgspec.structs.replace(found, paused=there)
