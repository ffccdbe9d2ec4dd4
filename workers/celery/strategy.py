"""Celery's strategy for the prediction task: messages go to the batcher, not to Celery's pool."""

import time
from collections.abc import Callable
from typing import Any

from celery.worker.request import Request

from registry.store import RECHECK_INTERVAL, Registry
from tasks.settings import Settings
from workers.celery.events import EventSender
from workers.microbatch.batcher import Batcher
from workers.microbatch.message import Message, read_prediction
from workers.models.resolving import is_away

Handler = Callable[..., None]
ReadMessage = Callable[[Any, Request, Registry], Message]


def strategy(task: Any, app: Any, consumer: Any) -> Handler:
    """Celery's entry point, called at each connection; returns the handler of each message."""
    return handler(task, app, consumer, read_prediction)


def handler(task: Any, app: Any, consumer: Any, read: ReadMessage) -> Handler:
    """A handler that reads each message and adds it to the batcher, or defers it to its ETA."""
    batcher, registry = (
        batcher_of(consumer),
        Registry(Settings.from_environment().home, RECHECK_INTERVAL),
    )

    def on_message(message: Any, *_: Any) -> None:  # not acknowledged here: the ledger settles it
        request = Request(
            message,
            app=app,
            task=task,
            hostname=consumer.hostname,
            # Marked as decoded, or Celery would parse all rows on the worker's event loop.
            body=((), {}, {}),
            headers=message.headers,
            decoded=True,
        )
        if request.eta and request.eta.timestamp() > time.time():
            reservations = consumer.task_consumer.channel.reservations
            reservations.defer(message.delivery_tag, request.eta.timestamp())
            return
        reserved = read(message, request, registry)
        batcher.add(reserved)
        # Other workers may still see the registry, so leave them what is on the queue.
        if not reserved.reference and is_away(registry):
            batcher.rest()

    return on_message


def batcher_of(consumer: Any) -> Batcher:
    """The worker's only batcher, made at the first call: its messages outlive a connection."""
    if not hasattr(consumer, "batcher"):
        consumer.batcher = Batcher(consumer.pool, EventSender(consumer))
    batcher: Batcher = consumer.batcher
    return batcher
