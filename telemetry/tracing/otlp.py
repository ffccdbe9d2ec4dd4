"""Exports spans by OTLP over HTTP, as OpenTelemetry's own messages."""

import gzip
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import unquote

import urllib3
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from telemetry.tracing.span import Kind, TraceSpan

TIMEOUT_SECONDS = 10
"""Seconds that a request to the collector may take, which is OpenTelemetry's default."""
_KINDS: dict[Kind, Span.SpanKind.ValueType] = {
    "internal": Span.SPAN_KIND_INTERNAL,
    "client": Span.SPAN_KIND_CLIENT,
    "producer": Span.SPAN_KIND_PRODUCER,
    "consumer": Span.SPAN_KIND_CONSUMER,
}
_SCOPE = InstrumentationScope(name="predictq")
_FAILED = Status(code=Status.STATUS_CODE_ERROR)
_SAMPLED = 1
_Value = str | int | float | bool


def exporting(process: str) -> Callable[[Sequence[TraceSpan]], bool]:
    """A function that sends spans of a process to the collector that the environment names.

    It returns False if the collector does not take them, and raises `urllib3.exceptions.HTTPError`
    if it cannot be reached.
    """
    resource, pool = Resource(attributes=_resource(process)), _pool()
    url, is_packed = _url(), _told("COMPRESSION") == "gzip"

    def export(spans: Sequence[TraceSpan]) -> bool:
        body = encode_spans(spans, resource)
        content = gzip.compress(body, 1) if is_packed else body
        answer = pool.request("POST", url, body=content, redirect=False)
        return 200 <= answer.status < 300

    return export


def encode_spans(spans: Sequence[TraceSpan], resource: Resource) -> bytes:
    """The body of a request with these spans."""
    scope = ScopeSpans(scope=_SCOPE, spans=map(_message, spans))
    group = ResourceSpans(resource=resource, scope_spans=[scope])
    encoded: bytes = ExportTraceServiceRequest(resource_spans=[group]).SerializeToString()
    return encoded


def _message(span: TraceSpan) -> Span:
    attributes = [_pair(*each) for each in span.attributes.items()]
    if span.error:
        attributes.append(_pair("error.type", span.error))
    return Span(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_id),
        name=span.name,
        kind=_KINDS[span.kind],
        start_time_unix_nano=int(span.start * 1e9),
        end_time_unix_nano=int(span.end * 1e9),
        attributes=attributes,
        links=[
            Span.Link(trace_id=bytes.fromhex(trace_id), span_id=bytes.fromhex(span_id))
            for trace_id, span_id in span.links
        ],
        status=_FAILED if span.error else None,
        flags=_SAMPLED,
    )


# Most pairs come again and again: to find one takes a tenth of the time to make it.
@lru_cache(1024, typed=True)
def _pair(key: str, value: _Value) -> KeyValue:
    match value:
        case str():
            return KeyValue(key=key, value=AnyValue(string_value=value))
        case bool():  # which is an integer, too
            return KeyValue(key=key, value=AnyValue(bool_value=value))
        case int():
            return KeyValue(key=key, value=AnyValue(int_value=value))
        case float():
            return KeyValue(key=key, value=AnyValue(double_value=value))


def _resource(process: str) -> list[KeyValue]:
    given = _pairs(os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    named = {"service.name": name} if (name := os.environ.get("OTEL_SERVICE_NAME")) else {}
    told = {"service.name": "predictq", **given, **named, "predictq.process": process}
    return [_pair(*each) for each in told.items()]


def _pool() -> urllib3.PoolManager:
    headers = {"content-type": "application/x-protobuf", **_pairs(_told("HEADERS"))}
    if _told("COMPRESSION") == "gzip":
        headers["content-encoding"] = "gzip"
    certificate = _told("CLIENT_CERTIFICATE") or None
    return urllib3.PoolManager(
        headers=headers,
        timeout=TIMEOUT_SECONDS,
        retries=False,
        ca_certs=_told("CERTIFICATE") or None,
        cert_file=certificate,
        key_file=_told("CLIENT_KEY") or certificate,
    )


def _url() -> str:
    own = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return own or f"{_told('ENDPOINT').rstrip('/')}/v1/traces"


def _told(name: str) -> str:
    """The value of one of OpenTelemetry's variables; that of traces alone comes first."""
    return os.environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or os.environ.get(
        f"OTEL_EXPORTER_OTLP_{name}", ""
    )


def _pairs(text: str) -> dict[str, str]:
    """The pairs of ``name=value,name=value``, whose values are percent-encoded."""
    found = (each.partition("=") for each in text.split(","))
    return {name.strip(): unquote(value.strip()) for name, equals, value in found if equals}
