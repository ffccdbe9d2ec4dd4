"""The span of one attempt to deliver an event."""

import time
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from tasks.webhooks.outbox import Held
from telemetry.tracing.span import Attributes, TraceSpan
from telemetry.tracing.traceparent import SpanContext, new_span_id, sampled_context
from webhooks.guard import TargetUnreachable
from webhooks.sending import ReceiverAnswer


class DeliverySpan(NamedTuple):
    """A delivery that has begun; its receiver gets the context, and may go on with the trace."""

    context: SpanContext
    parent_id: str
    start: float

    @classmethod
    def of(cls, held: Held) -> Self | None:
        """That of an event; None if its subject is not sampled."""
        sent = sampled_context(held.event.traceparent)
        if sent is None:
            return None
        return cls(sent._replace(span_id=new_span_id()), sent.span_id, time.time())

    def ended(self, held: Held, result: ReceiverAnswer | TargetUnreachable) -> TraceSpan:
        """The span, with what came of the attempt."""
        event, error = held.event, ""
        # Not the URL: its path or query may hold a secret.
        attributes: Attributes = {
            "http.request.method": "POST",
            "server.address": urlsplit(event.origin).hostname or "",
            "predictq.webhook_id": event.id,
            "predictq.attempt": held.attempts + 1,
        }
        if isinstance(result, TargetUnreachable):
            error = "unreachable"
        else:
            attributes["http.response.status_code"] = result.status
            error = "" if result.status < 300 else str(result.status)
        ids = self.context.trace_id, self.context.span_id, self.parent_id
        times = self.start, time.time()
        return TraceSpan("send webhook", "client", *ids, *times, attributes, [], error)
