"""Exports spans by OTLP over HTTP, with OpenTelemetry's own library."""

import logging
import os
from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace import SpanContext as LibraryContext

from telemetry.tracing.span import Kind, TraceSpan

_KINDS: dict[Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_SCOPE = InstrumentationScope("predictq")
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def exporting(process: str) -> Callable[[Sequence[TraceSpan]], bool]:
    """A function that sends spans of a process to the collector that the environment names."""
    # It would log each failure; the exporter says so once in a while.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    exporter, resource = OTLPSpanExporter(), _resource(process)

    def export(spans: Sequence[TraceSpan]) -> bool:
        result = exporter.export([in_library_form(span, resource) for span in spans])
        return result is SpanExportResult.SUCCESS

    return export


def in_library_form(span: TraceSpan, resource: Resource) -> ReadableSpan:
    """A span in the library's form."""
    parent = _context(span.trace_id, span.parent_id) if span.parent_id else None
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.span_id),
        parent=parent,
        resource=resource,
        attributes={**span.attributes, **({"error.type": span.error} if span.error else {})},
        links=[Link(_context(*ids)) for ids in span.links],
        kind=_KINDS[span.kind],
        status=Status(StatusCode.ERROR if span.error else StatusCode.UNSET),
        start_time=int(span.start * 1e9),
        end_time=int(span.end * 1e9),
        instrumentation_scope=_SCOPE,
    )


def _context(trace_id: str, span_id: str) -> LibraryContext:
    return LibraryContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=_SAMPLED)


def _resource(process: str) -> Resource:
    own = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "predictq"}
    return Resource.create({**own, "predictq.process": process})
