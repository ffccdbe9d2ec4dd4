"""Celery's side of registrations: the consumer step of the bulk worker that has them checked."""

import threading
from typing import Any

from celery import bootsteps

from tasks.jobs.messages import BULK
from workers.parts import WorkerParts
from workers.registrations.registrar import Registrar


class RegistrarStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Runs the registrar in a thread from the first connection to the end of the worker."""

    requires = ("workers.celery.consumer:BatchingStep",)

    def __init__(self, consumer: Any, *, parts: WorkerParts, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._home = parts.settings.home
        self._over, self._thread = threading.Event(), threading.Thread()

    def include_if(self, consumer: Any) -> bool:
        """Include this step only in workers that consume the bulk queue."""
        return BULK in consumer.app.amqp.queues.consume_from

    def start(self, consumer: Any) -> None:
        """Start the registrar; called for each connection to the broker."""
        if self._thread.is_alive():
            return
        self._over = threading.Event()
        given = (self._over,)
        self._thread = threading.Thread(
            target=Registrar(self._home).run, args=given, name="registrar", daemon=True
        )
        self._thread.start()

    def stop(self, consumer: Any) -> None:
        """Stop the registrar, and the process of a registration that is being checked.

        Not if only the connection was lost: registrations do not need Redis.
        """
        if consumer.blueprint.state == bootsteps.RUN:
            return
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
