"""Reads what batching needs from a message; the rows are decoded in the pool process."""

from typing import Any, NamedTuple

from celery.worker.request import Request

from registry.manifest import Manifest
from registry.methods import check_method
from registry.store import Registry
from tasks.messages import read_call
from tasks.time_limits import MAX_RUN_SECONDS, MIN_RUN_SECONDS
from telemetry.errors import PredictqError
from workers.protocol import Instruction

MAX_HEADER_ROWS = 1_000_000
"""Largest row count that is accepted from a header, which any producer can write."""


class Message:
    """A reserved message. Celery's events name it by its own task id."""

    __slots__ = (
        *("body", "content_type", "instruction", "is_started", "is_step", "limit", "method"),
        *("reference", "request", "rows", "tag", "traceparent"),
    )

    def __init__(self, message: Any, request: Request, *, is_step: bool = False) -> None:
        body = message.body or b""
        self.tag: str = message.delivery_tag
        self.body: bytes = body.encode() if isinstance(body, str) else body
        self.content_type = str(message.content_type)
        self.request = request
        self.traceparent = ""
        """Of the span that sent it, if that is sampled and this worker exports spans."""
        self.instruction = Instruction.COMPUTE
        self.is_started = False
        """Whether its first attempt has started already: it was handed over to this worker."""
        self.is_step = is_step
        """Whether it is a step of a job, which never shares a process with other messages."""
        self.reference: str | None = None
        """``model:version``; None if unknown: then any process can settle it."""
        self.method: str | None = None
        """None for a step of a job, and where the version is unknown."""
        self.rows, self.limit = 1, float(MAX_RUN_SECONDS)


class _Named(NamedTuple):
    """The version, method and rows that a message names."""

    reference: str
    """``name``, ``name@alias`` or ``name:version``."""
    method: str
    rows: int


def read_prediction(message: Any, request: Request, registry: Registry) -> Message:
    """Read the message of a prediction.

    The time limit is the message's own, else its version's, else `MAX_RUN_SECONDS`.
    """
    read, limit = Message(message, request), None
    # The headers first: parsing a body holds up the worker's event loop for as long as it takes.
    if named := _from_headers(message.headers) or _from_body(read.body):
        read.rows = named.rows
        if manifest := _known(named, registry, request.id):
            read.reference, read.method = manifest.reference, named.method
            limit = manifest.timeout_seconds
    read.limit = _bounded(_own_limit(request.time_limits) or limit or MAX_RUN_SECONDS)
    return read


def _from_headers(headers: dict[str, Any]) -> _Named | None:
    """Read from headers that only the API writes; None for a stock producer's message."""
    match headers:
        case {"batch": str(batch), "rows": int(rows)}:
            reference, _, method = batch.partition(" ")
            return _Named(reference, method, min(max(rows, 1), MAX_HEADER_ROWS))
    return None


def _from_body(body: bytes) -> _Named | None:
    """Read from the body, for messages of stock producers; None if it is malformed.

    That is not an error here: `workers.compute.admission` reports it.
    """
    try:
        call = read_call(body)
    except PredictqError:
        return None
    rows = len(call.features) if isinstance(call.features, list) else 1
    return _Named(call.model, call.method, max(rows, 1))


def _own_limit(told: Any) -> float | None:
    """The hard time limit of a Celery message in seconds; None if absent or invalid."""
    match told:
        # `True` is an `int` in Python, but no limit.
        case [int() | float() as hard, *_] if hard > 0 and hard is not True:
            return hard
    return None


def _bounded(seconds: float) -> float:
    """Clamp a limit to what callers may set, since any producer can write one."""
    return min(max(seconds, MIN_RUN_SECONDS), MAX_RUN_SECONDS)


def _known(named: _Named, registry: Registry, task_id: str) -> Manifest | None:
    """The version that a message names; None if the registry does not know it or cannot be read."""
    try:
        manifest = registry.resolve(named.reference).chosen(task_id).manifest
        check_method(manifest, named.method)
    except (PredictqError, OSError):  # `workers.compute.admission` reports it, or retries
        return None
    return manifest
