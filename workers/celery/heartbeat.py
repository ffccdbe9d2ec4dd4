"""Tells the ledger every few seconds that this worker lives, and what its processes take."""

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
"""Seconds."""


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """A step of the consumer: it beats while messages are taken, on the loop that takes them.

    So a worker without Redis, or with a stuck loop, falls silent.
    """

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._workers = Workers(predict.backend.ledger.client)
        self._entry: Any = None
        self._was_born = False
        self._outage = Outage("the ledger does not hear this worker")

    def start(self, consumer: Any) -> None:
        """Beat whenever a process of the pool is born, and every interval."""
        consumer.pool.on_birth = lambda: self._beat(consumer)
        self._beat(consumer)
        self._entry = consumer.timer.call_repeatedly(INTERVAL, self._beat, (consumer,))

    def stop(self, consumer: Any) -> None:
        """Beat no more."""
        if self._entry is not None:
            self._entry.cancel()

    def shutdown(self, consumer: Any) -> None:
        """Say goodbye: nobody needs to wait for the silence."""
        self.stop(consumer)
        self._tell(lambda: self._workers.farewell(identity()))

    def _beat(self, consumer: Any) -> None:
        consumer.pool.end_overdue()
        self._was_born = self._was_born or consumer.pool.is_born
        if consumer.pool.is_born or not self._was_born:  # one that loads its models lives, too
            queues = [*consumer.app.amqp.queues.consume_from]
            description = {**describe(consumer.hostname, consumer.pool), "queues": queues}
            self._tell(lambda: self._workers.heartbeat(identity(), description))

    def _tell(self, say: Callable[[], object]) -> None:
        try:
            say()
        except redis.RedisError as error:
            self._outage.goes_on(error)
        else:
            self._outage.is_over()


def identity() -> str:
    """What the ledger calls this worker."""
    return f"{socket.gethostname()}:{os.getpid()}"


def describe(name: str, pool: Pool) -> dict[str, Any]:
    """What `/stats` says of a worker; memory in bytes, of its fork server and pool, too."""
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
