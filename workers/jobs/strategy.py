"""Celery's strategy for steps of batch jobs; each step is a microbatch of its own."""

from typing import Any

from celery.worker.request import Request

from registry.store import Registry
from tasks.jobs.messages import read_step
from telemetry.errors import PredictqError
from workers.celery.strategy import Handler, handler
from workers.microbatch.message import Message
from workers.parts import WorkerParts

MAX_STEP_SECONDS = 6 * 3600.0
"""Seconds after which a process counts as frozen in one step. Model calls have limits of their
own."""


def strategy(parts: WorkerParts, task: Any, app: Any, consumer: Any) -> Handler:
    """Called by Celery at each connection; returns the handler of each message."""
    return handler(parts, task, app, consumer, _read)


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
