"""Consumer step that connects the batcher to the transport and shuts both down in order."""

from functools import partial
from typing import Any

from celery import bootsteps
from celery.worker import state
from kombu.common import ignore_errors

from tasks.prediction import predict
from tasks.settings import Settings
from workers.celery.events import Deferred
from workers.celery.shutdown import Shutdown
from workers.celery.strategy import batcher_of
from workers.microbatch.batch_size import MAX_BATCH_WAIT
from workers.microbatch.crash_retry import retry_or_fail, return_uncharged


class BatchingStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Celery starts this step at every connection to the broker."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        batcher = batcher_of(consumer)
        self._shutdown = Shutdown(consumer.pool, batcher, Settings.from_environment())

    def start(self, consumer: Any) -> None:
        """Let the channel reserve messages whenever a process becomes free."""
        # A lost connection makes a new channel, but the batcher and its pool go on: join them
        # again.
        channel, batcher = consumer.task_consumer.channel, batcher_of(consumer)
        channel.qos.batcher = batcher
        batcher.retry_or_fail = partial(retry_or_fail, predict.backend.ledger)
        batcher.return_uncharged = partial(return_uncharged, channel.reservations)
        for queue in consumer.app.amqp.queues.consume_from:
            channel.reservations.begin(queue)
        batcher.remind = partial(consumer.timer.call_after, MAX_BATCH_WAIT, channel.consume)
        consumer.pool.on_idle = channel.consume
        consumer.pool.on_hang = batcher.give_up
        if dispatcher := consumer.event_dispatcher:
            # Stock Celery flushes at every turn of its loop, or every two dozen events.
            dispatcher.buffer_limit = 10_000
            dispatcher.on_send_buffered = Deferred(consumer.timer, dispatcher.flush)

    def stop(self, consumer: Any) -> None:
        """On shutdown, wait for running predictions and return the rest to the queue."""
        # Celery stops its steps also when a connection is lost; then the predictions go on.
        if state.should_stop is not None:
            self._shutdown.in_order()
            if consumer.event_dispatcher:
                ignore_errors(consumer, consumer.event_dispatcher.flush)
