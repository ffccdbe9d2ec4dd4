"""Queue estimates of predictions on any queue: the shared one, and those of deployments."""

import redis

from tasks.ledger.queue.queue_estimate import QueueEstimate, QueueEstimates
from tasks.messages import PREDICT_QUEUE
from tasks.record import Record

MAX_QUEUES = 64
"""Queues whose snapshots are kept at a time; there are fewer deployments."""


class EstimatesByQueue:
    """As `QueueEstimates`, of the queue on which each prediction waits."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._shared = QueueEstimates(client, PREDICT_QUEUE)
        self._deployed: dict[str, QueueEstimates] = {}

    def is_stale_for(self, record: Record) -> bool:
        """Whether `freshen` would read a new snapshot."""
        return any(each.is_stale_for(record) for each in self._asked(record))

    def freshen(self, record: Record) -> None:
        """Read a new snapshot from Redis if the known one is too old for this prediction."""
        for each in self._asked(record):
            each.freshen(record)

    def of(self, record: Record) -> QueueEstimate:
        """The estimate from the known snapshot, without asking Redis."""
        return self._asked(record)[-1].of(record)

    def _asked(self, record: Record) -> list[QueueEstimates]:
        """The queue of a prediction, and if that is abandoned, the one that it was moved to."""
        if not record.queue:
            return [self._shared]
        # Records name queues of deployments that were deleted long ago as well. Nothing is lost but
        # snapshots, which are read again.
        if len(self._deployed) >= MAX_QUEUES:
            self._deployed.clear()
        own = self._deployed.get(record.queue)
        if own is None:
            own = self._deployed[record.queue] = QueueEstimates(self._client, record.queue)
        return [own, self._shared] if own.is_abandoned else [own]
