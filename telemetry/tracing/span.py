"""One span, as it passes from the process that made it to the one that exports it."""

from typing import Literal

import msgspec

from telemetry.tracing.traceparent import SpanContext, new_span_id

MAX_LINKS = 128
"""Most links of one span, which is OpenTelemetry's own limit."""
Kind = Literal["internal", "client", "producer", "consumer"]
Attributes = dict[str, str | int | float | bool]

SYSTEM = "celery"
"""The `messaging.system`: any consumer of Celery's messages reads ours."""


def messaging(queue: str, operation: Literal["send", "process"]) -> Attributes:
    """Attributes of a span that sends to a queue, or processes what came from it."""
    return {
        "messaging.system": SYSTEM,
        "messaging.destination.name": queue,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }


class TraceSpan(msgspec.Struct, array_like=True, frozen=True):
    """A span that has ended. Never has features or predictions in its attributes."""

    name: str
    kind: Kind
    trace_id: str
    span_id: str
    parent_id: str
    """Empty for the first span of a trace."""
    start: float
    """Unix seconds."""
    end: float
    attributes: Attributes
    links: list[tuple[str, str]] = []
    """Trace id and span id of each."""
    error: str = ""
    """The code of the error that it ended with."""

    @property
    def context(self) -> SpanContext:
        """What its children need to know."""
        return SpanContext(self.trace_id, self.span_id)


def child(
    parent: SpanContext,
    name: str,
    kind: Kind,
    times: tuple[float, float],
    attributes: Attributes,
    *,
    links: list[tuple[str, str]] | None = None,
    error: str = "",
) -> TraceSpan:
    """A new span below another one; ``times``: its start and end in Unix seconds."""
    start, end = times
    # Clocks of two hosts may differ; a span that ends before it starts would be refused.
    ids = parent.trace_id, new_span_id(), parent.span_id
    return TraceSpan(
        name, kind, *ids, start, max(start, end), attributes, (links or [])[:MAX_LINKS], error
    )
