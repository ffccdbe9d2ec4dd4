"""Reads versions and queues from the ledger, without those that the registry removed."""

import logging
from collections.abc import Callable

import msgspec

from registry.deployments.deployment import Deployment
from registry.manifest import Manifest
from registry.store import Registry
from tasks.gateway import QUEUES
from tasks.ledger.ledger import Ledger
from tasks.ledger.pauses.pauses import Paused, Pauses
from tasks.ledger.queue.canaries import Sighting, sightings
from tasks.ledger.queue.queue_snapshot import QueueSnapshot, QueueSnapshots
from tasks.ledger.statistics import Statistics
from telemetry.errors import PredictqError

log = logging.getLogger(__name__)


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

    def manifest(self, reference: str) -> Manifest | None:
        """The manifest of a version, as model:version; None if it cannot be read."""
        try:
            return self._registry.resolve(reference).manifest
        except (PredictqError, OSError):
            return None

    def deployments(self) -> list[Deployment]:
        """All deployments; none if the registry cannot be read, as other figures still count."""
        try:
            return self._registry.deployments()
        except (PredictqError, OSError) as error:
            log.warning("the deployments cannot be read: %s", error)
            return []

    def queues(self, sees: Callable[[str], bool] = lambda _: True) -> tuple[str, ...]:
        """The queues that all versions share, and those of deployments.

        ``sees``: whether to name those of a model.
        """
        return (*QUEUES, *(each.queue for each in self.deployments() if sees(each.model)))

    def sightings(self) -> dict[str, Sighting]:
        """The latest canary of each queue whose workers should run."""
        stopped = {each.queue for each in self.deployments() if each.state == "stopped"}
        there, found = set(self.queues()) - stopped, sightings(self._ledger.client)
        return {queue: sighting for queue, sighting in found.items() if queue in there}

    def snapshot(self, queue: str) -> QueueSnapshot:
        """The queue snapshot of a queue."""
        found = self._snapshots.of(queue)
        there = frozenset(v for v in found.paused if not self._registry.has_removed(v))
        return msgspec.structs.replace(found, paused=there)
