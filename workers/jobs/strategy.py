"""Celery's strategy for the steps of jobs: each is a batch by itself."""

from typing import Any

from celery.worker.request import Request

from registry.store import Registry
from tasks.jobs.messages import read_step
from tasks.settings import Settings
from telemetry.errors import PredictqError
from workers.frames import Order
from workers.reading import Message
from workers.strategy import Handler, batcher_of

LONGEST_STEP = 6 * 3600.0
"""Seconds after which a process that does one step counts as frozen; each model call has a limit
of its own."""


def strategy(task: Any, app: Any, consumer: Any) -> Handler:
    """What Celery calls at each connection; gives what it calls for each message."""
    batcher, registry = batcher_of(consumer), Registry(Settings.from_environment().home)

    def on_message(message: Any, *_: Any) -> None:  # its acknowledgement is the ledger's
        request = Request(
            message,
            app=app,
            task=task,
            hostname=consumer.hostname,
            body=((), {}, {}),
            headers=message.headers,
            decoded=True,
        )
        batcher.add(StepMessage(message, request, registry))

    return on_message


class StepMessage(Message):
    """A reserved step of a job."""

    __slots__ = ()
    lone = True

    def __init__(self, message: Any, request: Request, registry: Registry) -> None:
        """Raises `Malformed`; what cannot be read becomes a dead letter."""
        body = message.body or b""
        self.tag = message.delivery_tag
        self.body = body.encode() if isinstance(body, str) else body
        self.content_type = str(message.content_type)
        self.request = request
        self.order: Order = "compute"
        self.rows, self.limit, self.method = 1, LONGEST_STEP, ""
        self.reference = _known(message.headers.get("job"), registry)
        read_step(self.body)


def _known(told: Any, registry: Registry) -> str:
    """The version, where there is such one; any process can say what is wrong with it."""
    try:
        return registry.resolve(told).manifest.reference
    except PredictqError:
        return ""
