"""Celery's strategy for the steps of jobs: each is a batch by itself."""

from typing import Any

from celery.worker.request import Request

from registry.store import Registry
from tasks.jobs.messages import read_step
from telemetry.errors import PredictqError
from workers.celery.strategy import Handler, handler
from workers.microbatch.message import Message

LONGEST_STEP = 6 * 3600.0
"""Seconds after which a process that does one step counts as frozen; each model call has a limit
of its own."""


def strategy(task: Any, app: Any, consumer: Any) -> Handler:
    """What Celery calls at each connection; gives what it calls for each message."""
    return handler(task, app, consumer, _read)


def _read(message: Any, request: Request, registry: Registry) -> Message:
    """A step's message. Raises `Malformed`; what cannot be read becomes a dead letter."""
    read = Message(message, request)
    read_step(read.body)
    read.reference = _known(message.headers.get("job"), registry)
    read.limit, read.lone = LONGEST_STEP, True
    return read


def _known(told: Any, registry: Registry) -> str:
    """The version, where there is such one; any process can say what is wrong with it."""
    try:
        return registry.resolve(told).manifest.reference
    except (PredictqError, OSError):  # one that cannot be read is tried again by who does the step
        return ""
