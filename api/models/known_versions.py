"""What the ledger knows of versions, without its ghosts: those that the registry has removed."""

import msgspec

from registry.store import Registry
from tasks.ledger.ledger import Ledger
from tasks.ledger.pauses.pauses import Paused, Pauses
from tasks.ledger.queue.queue_snapshot import QueueSnapshot, QueueSnapshots
from tasks.ledger.statistics import Statistics


class KnownVersions:
    """Reads statistics, pauses and queues for operators, and leaves out versions that are gone."""

    def __init__(self, ledger: Ledger, pauses: Pauses, registry: Registry) -> None:
        self._ledger = ledger
        self._pauses = pauses
        self._registry = registry
        self._situations = QueueSnapshots(ledger.client)

    def paused(self) -> list[Paused]:
        """Every version that is paused."""
        return [p for p in self._pauses.all() if not self._registry.has_removed(p.model)]

    def statistics(self) -> list[Statistics]:
        """Counts and latencies of every version that has answered anything."""
        return [s for s in self._ledger.statistics() if not self._registry.has_removed(s.reference)]

    def situation(self, queue: str) -> QueueSnapshot:
        """How it stands with a queue."""
        found = self._situations.of(queue)
        there = frozenset(v for v in found.paused if not self._registry.has_removed(v))
        return msgspec.structs.replace(found, paused=there)
