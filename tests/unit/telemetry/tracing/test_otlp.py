"""Requests to a collector: what they hold, and the variables that shape them."""

import pytest

from telemetry.tracing.otlp import exporting
from telemetry.tracing.span import TraceSpan
from telemetry.tracing.traceparent import new_span_id, new_trace_id
from tests.support.tracing.collector import Collector, collecting


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Collector:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{collector.url}/")
        yield collector


def made(**fields: object) -> TraceSpan:
    told = {"name": "attempt", "kind": "consumer", "start": 1.5, "end": 2.25, "attributes": {}}
    ids = {"trace_id": new_trace_id(), "span_id": new_span_id(), "parent_id": new_span_id()}
    return TraceSpan(**{**told, **ids, **fields})


def test_span_arrives_as_it_was(collector: Collector) -> None:
    attributes = {"text": "ü", "whole": 3, "number": 0.5, "yes": True, "no": False, "one": 1}
    link = new_trace_id(), new_span_id()
    span = made(attributes=attributes, links=[link], error="timed_out")
    root = made(parent_id="", kind="client")
    assert exporting("worker")([span, root])

    seen, first = collector.spans
    assert seen.context == (span.trace_id, span.span_id)
    assert (seen.name, seen.kind, seen.parent_id) == ("attempt", 5, span.parent_id)
    assert (seen.seconds, seen.links) == ((1.5, 2.25), [link])
    assert seen.attributes == {**attributes, "error.type": "timed_out"}
    assert [type(value) for value in seen.attributes.values()][3:6] == [bool, bool, int]
    assert (seen.is_error, seen.process) == (True, "worker")
    assert (first.kind, first.parent_id, first.is_error, first.links) == (3, "", False, [])


def test_resource_is_what_the_environment_says(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporting("api")([made()])
    assert collector.resources[-1]["service.name"] == "predictq"
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=a, zone=eu%201,broken")
    exporting("api")([made()])
    assert collector.resources[-1] == {
        "service.name": "a",
        "zone": "eu 1",
        "predictq.process": "api",
    }
    monkeypatch.setenv("OTEL_SERVICE_NAME", "scores")
    exporting("api")([made()])
    assert collector.resources[-1]["service.name"] == "scores"


def test_headers_and_compression(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20abc,x-scope=one")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    assert exporting("api")([made()])
    headers = collector.headers[-1]
    assert (headers["authorization"], headers["x-scope"]) == ("Basic abc", "one")
    assert headers["content-encoding"] == "gzip"
    assert len(collector.spans) == 1


def test_endpoint_of_traces_is_taken_as_it_is(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
    assert exporting("api")([made()])


@pytest.mark.parametrize("status", [302, 400, 503])
def test_refusal_is_told(collector: Collector, status: int) -> None:
    collector.status = status
    assert not exporting("api")([made()])


def test_collector_that_is_away_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(Exception, match="refused"):
        exporting("api")([made()])
