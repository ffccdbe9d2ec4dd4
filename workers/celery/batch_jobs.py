"""Celery's side of batch jobs: the strategy for their steps, and the consumer step that sweeps."""

import logging
import threading
from typing import Any

import redis
from celery import bootsteps
from celery.worker.request import Request

from registry.store import Registry
from tasks.jobs.ledger import JobLedger
from tasks.jobs.messages import BULK, read_step
from telemetry.errors import PredictqError
from workers.celery.strategy import Handler, handler
from workers.jobs.sweeping import sweep_jobs
from workers.microbatch.message import Message
from workers.services import WorkerServices

log = logging.getLogger(__name__)
SWEEP_INTERVAL = 60.0
"""Seconds between two sweeps."""
MAX_STEP_SECONDS = 6 * 3600.0
"""Seconds after which a process counts as frozen in one step. Model calls have limits of their
own."""


def strategy(services: WorkerServices, task: Any, app: Any, consumer: Any) -> Handler:
    """Called by Celery at each connection; returns the handler of each message."""
    return handler(services, task, app, consumer, _read)


def _read(message: Any, request: Request, registry: Registry) -> Message:
    """Read a step's message; raises `Malformed`, and the message becomes a dead letter."""
    read = Message(message, request, is_step=True)
    read_step(read.body)
    read.reference = _known(message.headers.get("job"), registry)
    read.limit = MAX_STEP_SECONDS
    return read


def _known(told: Any, registry: Registry) -> str | None:
    """The version if it can be resolved, else None: then any pool process may take the step."""
    try:
        return registry.resolve(told).manifest.reference
    except (PredictqError, OSError):  # the process that performs the step reports the error
        return None


class Sweeping(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """A step of the bulk worker's consumer that sweeps periodically, in a thread."""

    requires = ("workers.celery.consumer:BatchingStep",)

    def __init__(self, consumer: Any, *, services: WorkerServices, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._services = services
        self._over = threading.Event()

    def include_if(self, consumer: Any) -> bool:
        """Include this step only in workers that consume the bulk queue."""
        return BULK in consumer.app.amqp.queues.consume_from

    def start(self, consumer: Any) -> None:
        """Start sweeping; called for each connection to the broker."""
        # An event of its own: the last connection's thread may still be in a sweep, and then ends.
        self._over = threading.Event()
        given = self._over, self._services
        threading.Thread(target=_sweep, args=given, name="sweep", daemon=True).start()

    def stop(self, consumer: Any) -> None:
        """Stop sweeping."""
        self._over.set()


def _sweep(over: threading.Event, services: WorkerServices) -> None:
    ledger, settings = JobLedger(services.client, services.settings), services.settings
    while not over.is_set():
        try:
            sweep_jobs(ledger, settings)
        except (redis.RedisError, OSError) as error:
            log.warning("jobs cannot be swept: %s", error)
        over.wait(SWEEP_INTERVAL)
