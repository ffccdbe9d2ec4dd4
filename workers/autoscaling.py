"""Adds processes to the pool of a worker and takes them away, as its queue needs them."""

import logging
import math
import time

import redis

from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from tasks.scaling.demand import demand_of
from tasks.scaling.replicas import ReplicaBounds, scale_of
from tasks.scaling.steadying import Steadying
from workers.pool.pools import Pools

log = logging.getLogger(__name__)


class Autoscaling:
    """Follows what `GET /scale` says of one queue: up at once, down slowly."""

    def __init__(self, client: redis.Redis, pool: Pools, queue: str, bounds: ReplicaBounds) -> None:
        """``bounds``: of the processes of all workers of the queue together."""
        self._snapshots = QueueSnapshots(client)
        self._pool, self._queue, self._bounds = pool, queue, bounds
        self._steadying = Steadying()

    def look(self) -> None:
        """Change the size of the pool if the queue needs another; to be called regularly."""
        try:
            demand = demand_of(self._snapshots.of(self._queue))
        except redis.RedisError:  # the heartbeat says so in the log
            return
        scale = scale_of(self._queue, demand, self._bounds)
        self._steadying = self._steadying.after(time.monotonic(), scale.replicas)
        share = math.ceil(self._steadying.number / max(demand.workers, 1))
        if share != self._pool.size:
            log.info(
                "%d processes in place of %d: %s",
                *(share, self._pool.size, scale.reason),
                extra={"queue": self._queue},
            )
            self._pool.resize(share)
