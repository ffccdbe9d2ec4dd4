"""The consumer step that moves what waits for deployments without workers to the shared queue."""

import logging
from typing import Any

import redis
from celery import bootsteps

from tasks.ledger.queue.deployed import DeployedQueues
from tasks.ledger.queue.workers import Workers
from tasks.messages import PREDICT_QUEUE
from telemetry.errors import PredictqError
from workers.services import WorkerServices

log = logging.getLogger(__name__)
MOVE_SECONDS = 0.5
"""Seconds between two looks. Once would not do: a message may come late, from a process that has
just read the registry, or from a worker that ends."""


class BringingBack(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Consumer step of the shared workers, which compute for deployments without a worker.

    Such a deployment was deleted, or its first worker still starts, or nobody starts one. That of a
    stopped deployment is its operator's will.
    """

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, *, services: WorkerServices, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._registry, self._workers = services.registry, Workers(services.client)
        self._queues = DeployedQueues(services.client)
        self._entry: Any = None

    def include_if(self, consumer: Any) -> bool:
        """Include this step only in workers of the shared queue."""
        return PREDICT_QUEUE in consumer.app.amqp.queues.consume_from

    def start(self, consumer: Any) -> None:
        """Look at every interval."""
        self._entry = consumer.timer.call_repeatedly(MOVE_SECONDS, self._look)

    def stop(self, consumer: Any) -> None:
        """Stop looking."""
        if self._entry is not None:
            self._entry.cancel()

    def _look(self) -> None:
        try:
            # An unmounted registry has no deployments, either.
            if self._registry.exists and (moved := self._queues.bring_back(self._kept())):
                log.info("%s messages of deployments without a worker are computed here", moved)
        except (redis.RedisError, PredictqError, OSError) as error:
            log.warning("messages of deployments without a worker cannot be moved: %s", error)

    def _kept(self) -> set[str]:
        """The queues of deployments that are stopped, or have a worker."""
        stopped = {d.queue for d in self._registry.deployments() if d.state == "stopped"}
        served = {queue for worker in self._workers.alive() for queue in worker["queues"]}
        return stopped | served
