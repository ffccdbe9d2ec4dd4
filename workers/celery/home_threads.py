"""Consumer steps of the bulk worker: threads that look after the registry of the home."""

import threading
from collections.abc import Callable
from typing import Any

from celery import bootsteps

from registry.store import Registry
from tasks.jobs.messages import BULK
from tasks.timeline.recording import Recorder
from workers.registrations.registrar import Registrar
from workers.rollouts.controller import Controller
from workers.services import WorkerServices


class _HomeThread(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Runs a thread from the first connection to the end of the worker."""

    requires = ("workers.celery.consumer:BatchingStep",)
    thread_name: str
    work: Callable[[WorkerServices], Callable[[threading.Event], None]]
    """The work of the thread, until the event is set."""

    def __init__(self, consumer: Any, *, services: WorkerServices, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._services = services
        self._over, self._thread = threading.Event(), threading.Thread()

    def include_if(self, consumer: Any) -> bool:
        """Include this step only in workers that consume the bulk queue."""
        return BULK in consumer.app.amqp.queues.consume_from

    def start(self, consumer: Any) -> None:
        """Start the thread; called for each connection to the broker."""
        if self._thread.is_alive():
            return
        self._over = threading.Event()
        run, given = type(self).work(self._services), (self._over,)
        self._thread = threading.Thread(target=run, args=given, name=self.thread_name, daemon=True)
        self._thread.start()

    def stop(self, consumer: Any) -> None:
        """Stop the thread, and what it has started.

        Not if only the connection was lost: the registry does not need Redis.
        """
        if consumer.blueprint.state == bootsteps.RUN:
            return
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)


class RegistrarStep(_HomeThread):
    """Runs the registrar, which has registrations checked."""

    thread_name = "registrar"
    work = staticmethod(lambda services: Registrar(services.settings.home).run)


class RolloutsStep(_HomeThread):
    """Carries rollouts on."""

    thread_name = "rollouts"
    work = staticmethod(
        lambda services: Controller(Registry(services.settings.home), services.client).run
    )


class TimelineStep(_HomeThread):
    """Records the timeline."""

    thread_name = "timeline"
    work = staticmethod(lambda services: Recorder(services.client).run)
