"""Consumer steps that attach the worker's services to each connection, and end them in order."""

from typing import Any

from celery import bootsteps
from celery.worker import state
from kombu.common import ignore_errors

from tasks.jobs.messages import BULK
from workers.celery.shutdown import Shutdown
from workers.heartbeat import HEARTBEAT_SECONDS
from workers.microbatch.cancelled_runs import LONG_RUN
from workers.services import WorkerServices


class BatchingStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Connects transport and batcher. Celery starts this step at every connection to the broker."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, *, services: WorkerServices, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._services = services
        self._shutdown = Shutdown(
            *(services.intake, services.handover, services.batcher, services.pool),
            services.settings,
        )

    def start(self, consumer: Any) -> None:
        """Take messages over the channel of this connection, and send events over it."""
        for queue in consumer.app.amqp.queues.consume_from:
            self._services.reservations.begin(queue)
        self._services.intake.open(consumer.task_consumer.channel.consume, consumer.timer)
        self._services.events.attach(consumer.event_dispatcher, consumer.timer)

    def register_with_event_loop(self, consumer: Any, hub: Any) -> None:
        """Let accept.lua hand messages over to this worker; Celery calls this at each
        connection.
        """
        channel = consumer.task_consumer.channel
        for queue in consumer.app.amqp.queues.consume_from:
            if queue != BULK:  # steps of batch jobs are accepted by other scripts
                self._services.handover.open(queue, hub, channel.deliver_started)

    def stop(self, consumer: Any) -> None:
        """On shutdown, wait for running predictions and return the rest to the queue."""
        # Celery also stops its steps when a connection is lost; then running predictions continue.
        if state.should_stop is not None:
            self._shutdown.in_order()
            ignore_errors(consumer, self._services.events.flush)


class HeartbeatStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Sends heartbeats from the event loop that takes messages.

    A worker that has no Redis connection or whose loop is stuck therefore sends none.
    """

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, *, services: WorkerServices, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._heartbeat = services.heartbeat
        self._entry: Any = None

    def start(self, consumer: Any) -> None:
        """Send a heartbeat now and at every interval. The pool also asks for some."""
        self._heartbeat.introduce(consumer.hostname, [*consumer.app.amqp.queues.consume_from])
        self._entry = consumer.timer.call_repeatedly(HEARTBEAT_SECONDS, self._heartbeat.beat)

    def stop(self, consumer: Any) -> None:
        """Stop sending heartbeats."""
        if self._entry is not None:
            self._entry.cancel()

    def shutdown(self, consumer: Any) -> None:
        """Remove this worker from the ledger at once, before its heartbeat expires."""
        # Not in `stop`, which Celery also calls when only the connection is lost.
        self.stop(consumer)
        self._heartbeat.farewell()


class CancelledRunsStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Looks for cancelled predictions that are still computed, from the event loop."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, *, services: WorkerServices, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._runs = services.cancelled_runs
        self._entry: Any = None

    def start(self, consumer: Any) -> None:
        """Look at every interval; Celery calls this at each connection to the broker."""
        self._entry = consumer.timer.call_repeatedly(LONG_RUN, self._runs.look)

    def stop(self, consumer: Any) -> None:
        """Stop looking."""
        if self._entry is not None:
            self._entry.cancel()
