"""Reports to the ledger every few seconds that this worker lives, with its processes' memory."""

import os
import socket
from collections.abc import Callable
from typing import Any

import psutil
import redis
from celery import bootsteps

from tasks.ledger.queue.workers import Workers
from tasks.prediction import predict
from workers.celery.outage import Outage
from workers.pool.pool import Pool

INTERVAL = 2.0
"""Seconds between two heartbeats."""


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Consumer step that sends heartbeats from the event loop that takes messages.

    A worker that has no Redis connection or whose loop is stuck therefore sends none.
    """

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._workers = Workers(predict.backend.ledger.client)
        self._entry: Any = None
        self._was_ready = False
        self._outage = Outage("heartbeats do not reach Redis")

    def start(self, consumer: Any) -> None:
        """Send a heartbeat whenever a pool process becomes ready, and at every interval."""
        consumer.pool.on_ready = lambda: self._beat(consumer)
        self._beat(consumer)
        self._entry = consumer.timer.call_repeatedly(INTERVAL, self._beat, (consumer,))

    def stop(self, consumer: Any) -> None:
        """Stop sending heartbeats."""
        if self._entry is not None:
            self._entry.cancel()

    def shutdown(self, consumer: Any) -> None:
        """Remove this worker from the ledger at once, before its heartbeat expires."""
        self.stop(consumer)
        self._tell(lambda: self._workers.farewell(identity()))

    def _beat(self, consumer: Any) -> None:
        consumer.pool.end_overdue()
        self._was_ready = self._was_ready or consumer.pool.has_ready_process
        # A worker that still loads its first models is alive. One that has lost all its processes
        # computes nothing, so it stays silent until a process is ready again.
        if consumer.pool.has_ready_process or not self._was_ready:
            queues = [*consumer.app.amqp.queues.consume_from]
            description = {**describe_worker(consumer.hostname, consumer.pool), "queues": queues}
            self._tell(lambda: self._workers.heartbeat(identity(), description))

    def _tell(self, say: Callable[[], object]) -> None:
        try:
            say()
        except redis.RedisError as error:
            self._outage.goes_on(error)
        else:
            self._outage.is_over()


def identity() -> str:
    """The ledger's id of this worker: host name and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


def describe_worker(name: str, pool: Pool) -> dict[str, Any]:
    """A worker's entry in `/stats`. Memory is in bytes and includes fork server and pool."""
    worker = psutil.Process()
    return {
        "name": name,
        "pid": worker.pid,
        "processes": len(pool.info["processes"]),
        "memory_bytes": sum(map(_memory, [worker, *worker.children(recursive=True)])),
        "loaded": pool.held,
    }


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
