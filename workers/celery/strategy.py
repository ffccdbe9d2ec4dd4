"""Celery's strategy for the prediction task: messages go to the batcher, not to Celery's pool."""

import time
from collections.abc import Callable
from typing import Any

from celery.worker.request import Request

from registry.store import Registry
from telemetry.tracing.traceparent import TRACEPARENT, sampled_context
from workers.microbatch.message import Message, read_prediction
from workers.models.resolving import is_away
from workers.services import WorkerServices

Handler = Callable[..., None]
ReadMessage = Callable[[Any, Request, Registry], Message]


def strategy(services: WorkerServices, task: Any, app: Any, consumer: Any) -> Handler:
    """Called by Celery at each connection; returns the handler of each message."""
    return handler(services, task, app, consumer, read_prediction)


def handler(
    services: WorkerServices, task: Any, app: Any, consumer: Any, read: ReadMessage
) -> Handler:
    """A handler that reads each message and adds it to the batcher, or defers it to its ETA."""
    batcher, registry, hostname = services.batcher, services.registry, consumer.hostname

    def on_message(message: Any, *_: Any) -> None:  # not acknowledged here: the ledger settles it
        request = Request(
            message,
            app=app,
            task=task,
            hostname=hostname,
            # Marked as decoded, or Celery would parse all rows on the worker's event loop.
            body=((), {}, {}),
            headers=message.headers,
            decoded=True,
        )
        if request.eta and request.eta.timestamp() > time.time():
            services.reservations.defer(message.delivery_tag, request.eta.timestamp())
            return
        reserved = read(message, request, registry)
        if services.spans is not None and (told := message.headers.get(TRACEPARENT)):
            reserved.traceparent = _sampled(told)
        reserved.is_started = message.properties["started"]
        batcher.add(reserved)
        # Other workers may still see the registry, so leave them what is on the queue.
        if not reserved.reference and is_away(registry):
            services.registry_outage.begin()

    return on_message


def _sampled(told: str) -> str:
    """The header, which any producer can write, if it is valid and sampled; else empty."""
    return told if sampled_context(told) else ""
