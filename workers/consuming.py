"""The step of Celery's consumer that joins batching to the transport, and ends both in order."""

import logging
from functools import partial
from typing import Any

import redis
from celery import bootsteps
from celery.worker import state

from tasks.prediction import predict
from workers.strategy import batcher_of
from workers.suspects import judge

log = logging.getLogger(__name__)
DRAIN = 30
"""Seconds that running batches get to finish in when the worker is asked to end."""


class Consuming(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Started with each connection to the broker."""

    requires = ("celery.worker.consumer:Tasks",)

    def start(self, consumer: Any) -> None:
        """Let the channel take what batching has room for, whenever a process becomes free."""
        channel = consumer.task_consumer.channel
        channel.qos.batcher = batcher_of(consumer)
        channel.qos.batcher.judge = partial(judge, predict.backend.ledger)
        for queue in consumer.app.amqp.queues.consume_from:
            channel.reservations.begin(queue)
        consumer.pool.on_idle = channel.consume
        if consumer.event_dispatcher:
            # Those of one turn of the loop go together; stock sends them by the two dozen.
            consumer.event_dispatcher.buffer_limit = 10_000

    def stop(self, consumer: Any) -> None:
        """When the worker ends: wait for what runs, give back what waits."""
        if state.should_stop is None or not consumer.task_consumer:
            return
        batcher, reservations = batcher_of(consumer), consumer.task_consumer.channel.reservations
        waiting = batcher.give_up_waiting()
        consumer.pool.on_idle = batcher.dispatch  # and take no more
        try:
            reservations.release(waiting)
            for _ in range(DRAIN):  # a second each, to keep what still runs
                reservations.upkeep(batcher.held())
                if consumer.pool.drain(1.0):
                    break
        except redis.RedisError as error:
            log.warning("Redis is away; another worker will find what this one held: %s", error)
