"""The beginning of a trace at a request, and the span of what it sends."""

import pytest

from tasks.jobs.job import FileRef, JobRequest
from tasks.jobs.sent import noting_sent
from tasks.ledger.predictions.acceptance import Offer
from tasks.ledger.predictions.sent import note_unsent, read_accept_answers
from tasks.ledger.queue.bounds import Bounds
from tasks.messages import Prediction
from tasks.record import Record
from telemetry.errors import QueueFull
from telemetry.tracing.sampler import TraceSampler
from telemetry.tracing.span import TraceSpan
from telemetry.tracing.traceparent import SpanContext, new_span_id, new_trace_id
from telemetry.tracing.tracer import ENDPOINTS, Sending, Tracer, is_tracing

BOUNDS = Bounds(10, 1000)
JOB = JobRequest(model="m", version=3, input=FileRef(uri="/a"), output=FileRef(uri="/b"))


class Kept:
    """Keeps the spans that an exporter would export."""

    def __init__(self) -> None:
        self.spans: list[TraceSpan] = []

    def add(self, spans: list[TraceSpan]) -> None:
        self.spans += spans


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def tracer(kept: Kept) -> Tracer:
    return Tracer(TraceSampler(0, follows_parent=True), kept)


def sampled(tracer: Tracer) -> Sending:
    caller = SpanContext(new_trace_id(), new_span_id())
    found = tracer.begin([(b"accept", b"*/*"), (b"traceparent", caller.text.encode())])
    assert found is not None
    assert (found.context.trace_id, found.parent_id) == caller[:2]
    return found


def offer(sending: Sending | None, task_id: str = "a") -> Offer:
    told = {"model": "m", "version": 3, "alias": None, "method": "predict", "features": [[1.0]]}
    prediction = Prediction(**told, created_at=1.0, sending=sending)
    return Offer("predict", Record.queued(task_id, prediction), b"{}", 1, sending=sending)


@pytest.mark.parametrize("given", [[], [b"x"], [b"\xff" * 9], [b"00-" + b"1" * 32 + b"-2-01"]])
def test_request_without_a_valid_header_is_left_to_the_sampler(
    tracer: Tracer, kept: Kept, given: list[bytes]
) -> None:
    headers = [(b"traceparent", each) for each in given]
    assert tracer.begin(headers) is None
    begun = Tracer(TraceSampler(1 << 64, follows_parent=True), kept).begin(headers)
    assert begun is not None
    assert begun.parent_id == ""


def test_header_that_is_there_twice_is_ignored(tracer: Tracer) -> None:
    text = SpanContext(new_trace_id(), new_span_id()).text.encode()
    assert tracer.begin([(b"traceparent", text)] * 2) is None


def test_record_and_span_have_the_same_context(tracer: Tracer, kept: Kept) -> None:
    sending = sampled(tracer).another()
    one = offer(sending)
    assert read_accept_answers([b"a"], [one], BOUNDS) == ["a"]
    (span,) = kept.spans
    assert one.record.traceparent == span.context.text == sending.traceparent
    assert (span.name, span.kind, span.error) == ("send predict", "producer", "")


def test_messages_that_are_sent_together_share_a_span(tracer: Tracer, kept: Kept) -> None:
    sending = sampled(tracer).another()
    offers = [offer(sending, "a"), offer(sending, "b"), offer(None, "c")]
    read_accept_answers([b"a", b"b", b"c"], offers, BOUNDS)
    (span,) = kept.spans
    assert span.attributes["messaging.batch.message_count"] == 3


def test_refusal_and_silence_are_errors(tracer: Tracer, kept: Kept) -> None:
    read_accept_answers([[b"full", 3]], [offer(sampled(tracer).another())], BOUNDS)
    note_unsent([offer(sampled(tracer).another()), offer(None)], ConnectionError("gone"))
    assert [span.error for span in kept.spans] == [QueueFull.code, "ConnectionError"]


def test_answer_of_another_prediction_is_linked(tracer: Tracer, kept: Kept) -> None:
    leader = SpanContext(new_trace_id(), new_span_id())
    outcome = b'{"predictions":[1],"traceparent":"' + leader.text.encode() + b'"}'
    for answer in (
        [b"joined", b"l", leader.text.encode()],
        [b"joined", b"l", b""],
        [b"reused", outcome],
        [b"reused", b""],
    ):
        read_accept_answers([answer], [offer(sampled(tracer).another())], BOUNDS)
    link = [leader[:2]]
    assert [span.links for span in kept.spans] == [link, [], link, []]
    assert [span.attributes.get("predictq.leader") for span in kept.spans[:2]] == ["l", "l"]
    assert [span.attributes.get("predictq.cached") for span in kept.spans[2:]] == [True, True]


def test_job_that_is_sent_has_a_span_with_its_error(tracer: Tracer, kept: Kept) -> None:
    with noting_sent(sampled(tracer), "j", JOB):
        pass
    with pytest.raises(QueueFull), noting_sent(sampled(tracer), "k", JOB):
        raise QueueFull("full")
    with noting_sent(None, "l", JOB):
        pass
    assert [(s.attributes["predictq.job"], s.error) for s in kept.spans] == [
        ("j", ""),
        ("k", QueueFull.code),
    ]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, False),
        ({ENDPOINTS[0]: "http://c:4318"}, True),
        ({ENDPOINTS[1]: "http://c:4318/v1/traces"}, True),
        ({ENDPOINTS[0]: "http://c:4318", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({ENDPOINTS[0]: "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_traces_are_off_without_a_collector(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], expected: bool
) -> None:
    for name in (*ENDPOINTS, "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert is_tracing() is expected
