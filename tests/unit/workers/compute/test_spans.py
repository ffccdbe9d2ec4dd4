"""The spans of a microbatch: which there are, and when they begin and end."""

import pytest
from msgspec.structs import replace

from tasks.ledger.predictions.attempts import NotStarted, Start
from tasks.ledger.predictions.settled import Settled
from tasks.record import Receipt, Record
from telemetry.errors import ModelUnloadable, WorkerLost
from telemetry.tracing.span import MAX_LINKS, TraceSpan
from telemetry.tracing.traceparent import SpanContext, new_span_id, new_trace_id
from workers.compute.disposition import Decision, Postponed
from workers.compute.spans import lost_attempt, settled_spans, spans_of
from workers.protocol import Instruction, Item

TIMES = (103.0, 104.0)


def item(number: int, *, sampled: bool = True, how: Instruction = Instruction.COMPUTE) -> Item:
    sent = SpanContext(new_trace_id(), new_span_id())
    head = f"predict:{number}", f"id {number}", "application/json", b""
    return Item(*head, None, how, 10.0, traceparent=sent.text if sampled else "")


def record(one: Item) -> Record:
    return replace(Record.read(one.id, None, one.traceparent), created_at=100.0)


def succeeded(one: Item) -> Settled:
    receipt = Receipt(
        model="m",
        version=3,
        sha256="",
        alias=None,
        attempt=1,
        queue_ms=3500.0,
        compute_ms=250.0,
        batch_size=7,
        runtime="",
    )
    return Settled(record(one).succeeded([1], receipt), one.tag)


def made(one: Item, decision: Decision, start: Start = 1) -> dict[str, TraceSpan]:
    return {span.name: span for span in spans_of([one], [start], {one.tag: decision}, TIMES)}


def test_times_are_those_of_the_receipt() -> None:
    one = item(1)
    spans = made(one, succeeded(one))
    times = {name: (span.start, span.end) for name, span in spans.items()}
    assert times == {
        "process predict": TIMES,
        "attempt": TIMES,
        "queued": (100.0, 103.0),
        "model": (103.5, 103.75),
        "settle": (103.75, 104.0),
    }
    assert spans["attempt"].attributes["predictq.batch_size"] == 7
    assert spans["attempt"].links == [spans["process predict"].context[:2]]


def test_only_sampled_requests_have_spans() -> None:
    items = [item(1), item(2, sampled=False), item(3)]
    decisions: dict[str, Decision] = {one.tag: succeeded(one) for one in items}
    batch, *others = spans_of(items, [1, 1, 1], decisions, TIMES)
    assert batch.attributes["messaging.batch.message_count"] == 3
    assert len(batch.links) == len([each for each in others if each.name == "attempt"]) == 2
    assert spans_of(items[1:2], [1], decisions, TIMES) == []


def test_what_was_not_started_has_none() -> None:
    assert spans_of([item(1)], [NotStarted.DONE], {}, TIMES) == []


def test_a_microbatch_has_so_many_links_at_most() -> None:
    items = [item(number) for number in range(MAX_LINKS + 5)]
    decisions: dict[str, Decision] = {one.tag: succeeded(one) for one in items}
    batch, *others = spans_of(items, [1] * len(items), decisions, TIMES)
    assert len(batch.links) == MAX_LINKS
    assert len([each for each in others if each.name == "attempt"]) == MAX_LINKS


def test_retried_request_has_the_error_of_its_attempt() -> None:
    one = item(1)
    spans = made(one, Postponed(one, ModelUnloadable("the file is gone")), 2)
    assert spans.keys() == {"process predict", "attempt"}
    attempt = spans["attempt"]
    assert (attempt.error, attempt.attributes["predictq.attempt"]) == (ModelUnloadable.code, 2)


@pytest.mark.parametrize("how", [Instruction.TIME_OUT, Instruction.CANCEL])
def test_what_is_only_settled_is_no_attempt(how: Instruction) -> None:
    one = item(1, how=how)
    spans = made(one, Settled(record(one).cancelled(), one.tag))
    assert spans.keys() == {"process predict", "settle"}
    assert spans["settle"].attributes["predictq.outcome"] == "cancelled"


def test_dead_letter_is_told() -> None:
    one = item(1)
    dead = Settled(record(one).failed(ModelUnloadable("gone"), 3), one.tag, 3)
    assert made(one, dead, 3)["attempt"].attributes["predictq.dead_letter"] is True
    (span,) = settled_spans(one.traceparent, dead, TIMES)
    assert (span.name, span.error) == ("settle", ModelUnloadable.code)
    assert span.attributes["predictq.dead_letter"] is True
    assert settled_spans("", dead, TIMES) == []


def test_lost_attempt_is_below_the_span_that_sent_it() -> None:
    sent = SpanContext(new_trace_id(), new_span_id())
    span = lost_attempt(sent, "predict:1", "id", TIMES)
    assert (span.trace_id, span.parent_id, span.error) == (*sent[:2], WorkerLost.code)
    assert span.attributes["messaging.destination.name"] == "predict"


def test_clocks_that_differ_make_no_span_that_ends_before_it_begins() -> None:
    one = item(1)
    late = succeeded(one)
    spans = spans_of([one], [1], {one.tag: late}, (90.0, 91.0))
    assert all(span.end >= span.start for span in spans)
