"""Celery's strategy for the prediction task: its messages go to the batcher."""

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
Read = Callable[[Any, Request, Registry], Message]


def strategy(task: Any, app: Any, consumer: Any) -> Handler:
    """What Celery calls at each connection; gives what it calls for each message."""
    return handler(task, app, consumer, read_prediction)


def handler(task: Any, app: Any, consumer: Any, read: Read) -> Handler:
    """Reads each message, and hands it to the batcher when its time has come."""
    batcher, registry = (
        batcher_of(consumer),
        Registry(Settings.from_environment().home, RECHECK_INTERVAL),
    )

    def on_message(message: Any, *_: Any) -> None:  # its acknowledgement is the ledger's
        request = Request(
            message,
            app=app,
            task=task,
            hostname=consumer.hostname,
            # Decoded already, as far as Celery is concerned: it would read the rows, here.
            body=((), {}, {}),
            headers=message.headers,
            decoded=True,
        )
        if request.eta and request.eta.timestamp() > time.time():
            reservations = consumer.task_consumer.channel.reservations
            reservations.defer(message.delivery_tag, request.eta.timestamp())
            return
        asked = read(message, request, registry)
        batcher.add(asked)
        if not asked.reference and is_away(registry):
            batcher.rest()

    return on_message


def batcher_of(consumer: Any) -> Batcher:
    """The one batcher of a worker: what it holds outlives a connection."""
    if not hasattr(consumer, "batcher"):
        consumer.batcher = Batcher(consumer.pool, EventSender(consumer))
    batcher: Batcher = consumer.batcher
    return batcher
