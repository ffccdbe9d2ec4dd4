"""The body of an event: what happened, and the outcome if it is short."""

from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from msgspec import UNSET, UnsetType

from tasks.ledger import keys
from tasks.ledger.ledger import Ledger, read_record
from tasks.record import ErrorBody, Receipt, Record
from tasks.targets.webhook import EventType
from tasks.webhooks.outbox import WebhookEvent
from tasks.wire import encode

MAX_EVENT_BYTES = 20_000
"""Longest body in bytes; an outcome that does not fit is left out."""


class EventData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The subject of an event."""

    id: str
    status: str
    model: str
    version: int
    url: str
    """Path of the outcome or batch job at the API."""
    predictions: list[Any] | UnsetType = UNSET
    """One per row; left out if they do not fit, or if Redis has forgotten them."""
    receipt: Receipt | UnsetType = UNSET
    error: ErrorBody | UnsetType = UNSET


class EventBody(msgspec.Struct, frozen=True):
    """The body of the POST that delivers an event."""

    type: EventType
    timestamp: str
    """When it happened, RFC 3339."""
    data: EventData


class Bodies:
    """Makes bodies. Raises `redis.RedisError` without Redis."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def of(self, event: WebhookEvent) -> bytes:
        """The body of an event, `MAX_EVENT_BYTES` long at most."""
        kind, _, status = event.type.partition(".")
        if kind == "batch":
            return _body(event, status, f"/predict/batch/{event.subject}", None)
        url = f"/predict/result/{event.subject}"
        full = _body(event, status, url, self._outcome(event, status))
        return full if len(full) <= MAX_EVENT_BYTES else _body(event, status, url, None)

    def _outcome(self, event: WebhookEvent, status: str) -> Record | None:
        """The outcome, unless it is certainly too long or a replay has reopened it since."""
        key = keys.record(event.subject)
        text = cast("bytes", self._ledger.client.getrange(key, 0, 2 * MAX_EVENT_BYTES))
        if not text or len(text) > 2 * MAX_EVENT_BYTES:
            return None
        record = read_record(event.subject, text)
        return record if record is not None and record.state == status else None


def _body(event: WebhookEvent, status: str, url: str, outcome: Record | None) -> bytes:
    model, _, version = event.version.rpartition(":")
    happened = datetime.fromtimestamp(float(event.at), UTC).isoformat(timespec="milliseconds")
    is_success = outcome is not None and outcome.state == "succeeded"
    data = EventData(
        id=event.subject,
        status=status,
        model=model,
        version=int(version),
        url=url,
        predictions=outcome.result if outcome and is_success else UNSET,
        receipt=(outcome and outcome.receipt) or UNSET,
        error=(outcome and outcome.error) or UNSET,
    )
    return encode(EventBody(event.type, happened, data))
