"""The step of Celery's consumer that joins batching to the transport, and ends both in order."""

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
from workers.microbatch.batch_size import MOMENT
from workers.microbatch.crash_retry import judge, spare


class BatchingStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Started with each connection to the broker."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        batcher = batcher_of(consumer)
        self._ending = Shutdown(consumer.pool, batcher, Settings.from_environment())

    def start(self, consumer: Any) -> None:
        """Let the channel take what batching has room for, whenever a process becomes free."""
        channel, batcher = consumer.task_consumer.channel, batcher_of(consumer)
        channel.qos.batcher = batcher
        batcher.judge = partial(judge, predict.backend.ledger)
        batcher.spare = partial(spare, channel.reservations)
        for queue in consumer.app.amqp.queues.consume_from:
            channel.reservations.begin(queue)
        batcher.remind = partial(consumer.timer.call_after, MOMENT, channel.consume)
        consumer.pool.on_idle = channel.consume
        consumer.pool.on_hang = batcher.give_up
        if dispatcher := consumer.event_dispatcher:
            # Stock sends them by the two dozen, and at every turn of the loop.
            dispatcher.buffer_limit = 10_000
            dispatcher.on_send_buffered = Deferred(consumer.timer, dispatcher.flush)

    def stop(self, consumer: Any) -> None:
        """When the worker ends: wait for what runs, give back the rest."""
        if state.should_stop is not None:
            self._ending.in_order()
            if consumer.event_dispatcher:
                ignore_errors(consumer, consumer.event_dispatcher.flush)
