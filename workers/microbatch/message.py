"""Reads of a message what batching needs to know; its rows are read where they are computed."""

from typing import Any

from celery.worker.request import Request

from registry.methods import check_method
from registry.store import Registry
from tasks.messages import read_call
from tasks.time_limits import LONGEST_RUN, SHORTEST_RUN
from telemetry.errors import PredictqError
from workers.pool.protocol import Instruction

BELIEVED = 1_000_000
"""Rows; anybody may have written how many there are."""


class Message:
    """A reserved message; announced to Celery under its own id."""

    __slots__ = (
        *("body", "content_type", "limit", "lone", "method", "order", "reference", "request"),
        *("rows", "tag"),
    )

    def __init__(self, message: Any, request: Request) -> None:
        body = message.body or b""
        self.tag: str = message.delivery_tag
        self.body: bytes = body.encode() if isinstance(body, str) else body
        self.content_type = str(message.content_type)
        self.request = request
        self.order: Instruction = "compute"
        self.reference = self.method = ""
        """As model:version; empty where there is no such thing, which any process can say."""
        self.rows, self.limit = 1, float(LONGEST_RUN)
        self.lone = False
        """Whether it is a batch by itself, of a kind of its own: a step of a job."""


def read_prediction(message: Any, request: Request, registry: Registry) -> Message:
    """A prediction's message."""
    read = Message(message, request)
    told, method, read.rows = _told(message.headers) or _found(read.body)
    read.reference, read.method, limit = _known(told, method, registry)
    read.limit = _bounded(_own_limit(request.time_limits) or limit or LONGEST_RUN)
    return read


def _told(headers: dict[str, Any]) -> tuple[str, str, int] | None:
    """Model, method and rows, as our front end writes them beside the body."""
    match headers:
        case {"batch": str(batch), "rows": int(rows)}:
            reference, _, method = batch.partition(" ")
            return reference, method, min(max(rows, 1), BELIEVED)
    return None


def _found(body: bytes) -> tuple[str, str, int]:
    """The same from the body, for stock producers; what is wrong with it is said later."""
    try:
        call = read_call(body)
    except PredictqError:
        return "", "", 1
    rows = len(call.features) if isinstance(call.features, list) else 1
    return call.model, call.method, max(rows, 1)


def _own_limit(told: Any) -> float | None:
    """The hard limit of a Celery message, in seconds; anybody may have written it."""
    match told:
        case [int() | float() as hard, *_] if hard > 0 and hard is not True:
            return hard
    return None


def _bounded(seconds: float) -> float:
    """A limit as it is heeded: no producer's ends a process for nothing, or holds it for longer."""
    return min(max(seconds, SHORTEST_RUN), LONGEST_RUN)


def _known(reference: str, method: str, registry: Registry) -> tuple[str, str, float | None]:
    """What the registry makes of words that anybody may have written."""
    try:
        manifest = registry.resolve(reference).manifest
        check_method(manifest, method)
    except (PredictqError, OSError):  # one that cannot be read is tried again, see `checking`
        return "", "", None
    return manifest.reference, method, manifest.timeout_seconds
