"""Reads what batching needs from a message; the rows are decoded in the pool process."""

from typing import Any

from celery.worker.request import Request

from registry.methods import check_method
from registry.store import Registry
from tasks.messages import read_call
from tasks.time_limits import LONGEST_RUN, SHORTEST_RUN
from telemetry.errors import PredictqError
from workers.pool.protocol import Instruction

MAX_HEADER_ROWS = 1_000_000
"""Largest row count that is accepted from a header, which any producer can write."""


class Message:
    """A reserved message. Celery's events name it by its own task id."""

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
        """``reference`` is model:version, empty if unknown: then any process can settle it."""
        self.rows, self.limit = 1, float(LONGEST_RUN)
        self.lone = False
        """Whether it is a step of a job, which never shares a process with other messages."""


def read_prediction(message: Any, request: Request, registry: Registry) -> Message:
    """Read the message of a prediction.

    The time limit is the message's own, else its version's, else `LONGEST_RUN`.
    """
    read = Message(message, request)
    told, method, read.rows = _from_headers(message.headers) or _from_body(read.body)
    read.reference, read.method, limit = _known(told, method, registry)
    read.limit = _bounded(_own_limit(request.time_limits) or limit or LONGEST_RUN)
    return read


def _from_headers(headers: dict[str, Any]) -> tuple[str, str, int] | None:
    """Model, method and row count from the headers that our front end writes."""
    match headers:
        case {"batch": str(batch), "rows": int(rows)}:
            reference, _, method = batch.partition(" ")
            return reference, method, min(max(rows, 1), MAX_HEADER_ROWS)
    return None


def _from_body(body: bytes) -> tuple[str, str, int]:
    """Model, method and row count from the body, for messages of stock producers.

    A malformed body is not an error here: `workers.compute.admission` reports it.
    """
    try:
        call = read_call(body)
    except PredictqError:
        return "", "", 1
    rows = len(call.features) if isinstance(call.features, list) else 1
    return call.model, call.method, max(rows, 1)


def _own_limit(told: Any) -> float | None:
    """The hard time limit of a Celery message in seconds; None if absent or invalid."""
    match told:
        case [int() | float() as hard, *_] if hard > 0 and hard is not True:
            return hard
    return None


def _bounded(seconds: float) -> float:
    """Clamp a limit to `SHORTEST_RUN` … `LONGEST_RUN` seconds, as any producer can write one."""
    return min(max(seconds, SHORTEST_RUN), LONGEST_RUN)


def _known(reference: str, method: str, registry: Registry) -> tuple[str, str, float | None]:
    """Resolve a reference and method; gives model:version, method and the version's time limit.

    All are empty if the registry does not know them or cannot be read.
    """
    try:
        manifest = registry.resolve(reference).manifest
        check_method(manifest, method)
    except (PredictqError, OSError):  # `workers.compute.admission` reports it, or retries
        return "", "", None
    return manifest.reference, method, manifest.timeout_seconds
