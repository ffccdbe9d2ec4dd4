"""Records minutes: reads the counters of the ledger, and keeps what they grew by."""

import threading
import time
from contextlib import suppress

import psutil
import redis

from tasks.ledger.queue.deployed import DeployedQueues
from tasks.ledger.queue.queue_snapshot import QueueSnapshot, QueueSnapshots
from tasks.ledger.queue.workers import Workers
from tasks.ledger.statistics import Statistics, collected
from tasks.messages import PREDICT_QUEUE
from tasks.timeline.call_sums import CallSums, read_calls
from tasks.timeline.minute import CounterTotals, HostMinute, VersionMinute, grown
from tasks.timeline.timeline import MINUTE_SECONDS, Timeline

LONGEST_SECONDS = 2.0 * MINUTE_SECONDS
"""A minute that took longer includes a stop of the stack, in which nothing was counted."""
CLAIM_EVERY = 5.0
"""Seconds between two tries to record."""


class Recorder:
    """Records the timeline of one stack. Any number of recorders may run: one of them does it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client, self._timeline = client, Timeline(client)
        self._snapshots, self._workers = QueueSnapshots(client), Workers(client)
        self._deployed = DeployedQueues(client)

    def run(self, over: threading.Event) -> None:
        """Record again and again, until ``over`` is set."""
        while not over.wait(CLAIM_EVERY):
            with suppress(redis.RedisError):  # the worker's own connection says so in the log
                self.record_if_due(time.time())

    def record_if_due(self, now: float) -> bool:
        """Record a minute, unless that was just done. ``now``: Unix seconds.

        Returns whether it did. Raises `redis.RedisError`.
        """
        if not self._timeline.claim():
            return False
        queues = [self._snapshots.of(queue) for queue in (PREDICT_QUEUE, *self._deployed.names())]
        totals, before = self._totals(now, queues), self._timeline.totals()
        host = self._host(queues)
        minute = grown(before, totals, host, LONGEST_SECONDS) if before else None
        self._timeline.write(totals, minute)
        return True

    def _totals(self, now: float, queues: list[QueueSnapshot]) -> CounterTotals:
        counted = collected(self._client)
        calls = read_calls(self._client, [each.reference for each in counted])
        return CounterTotals(
            at=now,
            accepted=sum(queue.taken + queue.depth for queue in queues),
            versions={
                each.reference: _version(each, sums)
                for each, sums in zip(counted, calls, strict=True)
            },
        )

    def _host(self, queues: list[QueueSnapshot]) -> HostMinute:
        workers = self._workers.alive()
        return HostMinute(
            depth=sum(queue.depth for queue in queues),
            oldest=max(queue.oldest or 0.0 for queue in queues),
            processes=sum(worker["processes"] for worker in workers),
            worker_bytes=sum(worker["memory_bytes"] for worker in workers),
            redis_bytes=self._redis_bytes(),
            cpu=psutil.cpu_percent() / 100,
        )

    def _redis_bytes(self) -> int:
        try:
            return int(self._client.info("memory")["used_memory"])
        except redis.exceptions.NoPermissionError:  # some services forbid INFO
            return 0


def _version(counted: Statistics, calls: CallSums) -> VersionMinute:
    return VersionMinute(
        outcomes={state: count for state, count in counted.outcomes.items() if count},
        rows=counted.rows,
        seconds=counted.seconds,
        histogram={place: count for place, count in enumerate(counted.histogram) if count},
        calls=calls,
    )
