"""Reads of a message what batching needs to know; its rows are read where they are computed."""

from typing import Any

from celery.worker.request import Request

from registry.store import Registry
from tasks.messages import read_call
from telemetry.errors import Malformed, PredictqError
from workers.frames import Order


class Message:
    """A reserved message; announced to Celery under its own id."""

    __slots__ = ("body", "content_type", "method", "order", "reference", "request", "rows", "tag")

    def __init__(self, message: Any, request: Request, registry: Registry) -> None:
        body = message.body or b""
        self.tag: str = message.delivery_tag
        self.body: bytes = body.encode() if isinstance(body, str) else body
        self.content_type: str | None = message.content_type
        self.request = request
        self._check()
        self.order: Order = "compute"
        told = _told(message.headers) or _found(self.body)
        self.reference = _known(told[0], registry)
        """As model:version; empty where there is none, which any process can say."""
        self.method, self.rows = told[1:]

    def _check(self) -> None:
        """Raise `Malformed` for what could not be sent to a process."""
        kinds = (self.body, bytes), (self.request.id, str), (self.content_type, str | None)
        if not all(isinstance(value, kind) for value, kind in kinds):
            raise Malformed("the id, the content type and the body of a message are texts")


def _told(headers: dict[str, Any]) -> tuple[str, str, int] | None:
    """Model, method and rows, as our front end writes them beside the body."""
    match headers:
        case {"batch": str(batch), "rows": int(rows)}:
            reference, _, method = batch.partition(" ")
            return reference, method, rows
    return None


def _found(body: bytes) -> tuple[str, str, int]:
    """The same from the body, for stock producers; what is wrong with it is said later."""
    try:
        call = read_call(body)
    except PredictqError:
        return "", "", 1
    rows = len(call.features) if isinstance(call.features, list) else 1
    return call.model, call.method, max(rows, 1)


def _known(reference: str, registry: Registry) -> str:
    try:
        manifest = registry.resolve(reference).manifest
    except PredictqError:
        return ""
    return f"{manifest.name}:{manifest.version}"
