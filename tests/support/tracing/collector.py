"""A collector of traces on 127.0.0.1, which reads what OTLP over HTTP brings it."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.stack import until
from tests.support.webhooks.receiver import serving


class Seen(NamedTuple):
    """A span that came, with all ids in hexadecimal."""

    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    seconds: tuple[float, float]
    attributes: dict[str, Any]
    links: list[tuple[str, str]]
    is_error: bool
    process: str

    @property
    def context(self) -> tuple[str, str]:
        return self.trace_id, self.span_id


class Collector:
    """The spans that have come, and the status that is answered."""

    def __init__(self) -> None:
        self.spans: list[Seen] = []
        self.resources: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer._answer(self)

            def log_message(self, *_: object) -> None:
                """Write nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def of(self, trace_id: str) -> list[Seen]:
        return [span for span in self.spans if span.trace_id == trace_id]

    def wait(self, trace_id: str, *names: str) -> dict[str, Seen]:
        """The spans of a trace by name, once it has at least these."""

        def found() -> dict[str, Seen] | None:
            seen = {span.name: span for span in self.of(trace_id)}
            return seen if seen.keys() >= {*names} else None

        return until(found, f"{names} of {trace_id}: {[s.name for s in self.of(trace_id)]}")

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        assert request.path == "/v1/traces"
        assert request.headers["content-type"] == "application/x-protobuf"
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if self.status == 200:
            self.spans += spans_in(body)
            self.resources += resources_in(body)
            self.headers.append({k.lower(): v for k, v in request.headers.items()})
        answer = ExportTraceServiceResponse().SerializeToString()
        request.send_response(self.status)
        request.send_header("content-type", "application/x-protobuf")
        request.send_header("content-length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)


def spans_in(body: bytes) -> Iterator[Seen]:
    """The spans of a request to a collector."""
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Seen(
                    span.name,
                    span.kind,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    (span.start_time_unix_nano / 1e9, span.end_time_unix_nano / 1e9),
                    _attributes(span.attributes),
                    [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                    span.status.code == 2,
                    resource["predictq.process"],
                )


def resources_in(body: bytes) -> list[dict[str, Any]]:
    """The attributes of each resource in a request to a collector."""
    groups = ExportTraceServiceRequest.FromString(body).resource_spans
    return [_attributes(group.resource.attributes) for group in groups]


def _attributes(given: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in given}


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    with serving(collector.server):
        yield collector
