"""Whole traces, from the caller's span to the outcome, as a collector gets them."""

import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from api.bulk.accepting import MAX_TRACED_LINES
from tasks.time_limits import MAX_ATTEMPTS
from telemetry.tracing.traceparent import new_span_id, new_trace_id
from tests.support.models import DEADLY, GUILTY, Doubling, Lethal, Touchy, register
from tests.support.stack import LiveStack, running, until
from tests.support.tracing.collector import Collector, Seen, collecting
from tests.support.webhooks.receiver import receiving

PRODUCER, CONSUMER = 4, 5
SENT, ATTEMPT, BATCH = "send predict", "attempt", "process predict"
ROW = [3.0, 0.0]


class Traced(NamedTuple):
    """A stack that exports its spans every 50 ms, and the collector that gets them."""

    stack: LiveStack
    collector: Collector

    def microbatch(self, attempt: Seen) -> Seen:
        """The span of the microbatch that computed a request."""
        ((trace_id, _),) = attempt.links
        return self.collector.wait(trace_id, BATCH)[BATCH]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    home = tmp_path_factory.mktemp("traced")
    for model in (Doubling(), Touchy(), Lethal()):
        register(home, type(model).__name__.lower(), model, [[1.0, 0.0]])
    with collecting() as collector:
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
            "PREDICTQ_WEBHOOKS_ALLOW_LOCAL": "1",
            "PREDICTQ_BATCH_ROOTS": str(home.parent),
        }
        with running(home, bulk=True, forks=True, **told) as stack:
            yield Traced(stack, collector)


def caller() -> tuple[str, str, dict[str, str]]:
    """A sampled span of a caller: trace id, span id, and its header."""
    trace_id, span_id = new_trace_id(), new_span_id()
    return trace_id, span_id, {"traceparent": f"00-{trace_id}-{span_id}-01"}


@pytest.mark.parametrize("path", ["/predict/async", "/predict", "/models/doubling/predict"])
def test_prediction_is_one_trace_from_its_caller_to_its_outcome(traced: Traced, path: str) -> None:
    trace_id, span_id, headers = caller()
    body = {"model": "doubling", "features": ROW}
    answer = traced.stack.http.post(path, json=body, headers=headers)
    task_id = answer.json()["id"]

    names = SENT, "queued", ATTEMPT, "model", "settle"
    spans = traced.collector.wait(trace_id, *names)
    assert len(traced.collector.of(trace_id)) == len(names)
    sent, attempt = spans[SENT], spans[ATTEMPT]
    assert (sent.kind, sent.parent_id, sent.process) == (PRODUCER, span_id, "api")
    assert (attempt.kind, attempt.parent_id, attempt.process) == (CONSUMER, sent.span_id, "worker")
    assert spans["queued"].parent_id == sent.span_id
    assert {spans[each].parent_id for each in ("model", "settle")} == {attempt.span_id}
    assert spans["queued"].seconds[1] == pytest.approx(attempt.seconds[0])
    assert sent.attributes == {
        "messaging.system": "celery",
        "messaging.destination.name": "predict",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.message.id": task_id,
        "predictq.model": "doubling",
        "predictq.version": 1,
    }
    assert attempt.attributes == {
        **sent.attributes,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "predictq.attempt": 1,
        "predictq.outcome": "succeeded",
        "predictq.batch_size": 1,
    }
    batch = traced.microbatch(attempt)
    assert batch.links == [sent.context]
    assert batch.attributes["messaging.batch.message_count"] == 1
    assert not any(span.is_error for span in (*spans.values(), batch))


def test_request_that_is_not_sampled_makes_nothing(traced: Traced) -> None:
    trace_id, span_id, _ = caller()
    for headers in ({"traceparent": f"00-{trace_id}-{span_id}-00"}, {}):
        answer = traced.stack.http.post(
            "/predict", json={"model": "doubling", "features": ROW}, headers=headers
        )
        assert answer.json()["status"] == "succeeded"
    test_prediction_is_one_trace_from_its_caller_to_its_outcome(traced, "/predict")
    assert traced.collector.of(trace_id) == []


@pytest.mark.parametrize(
    "text",
    ["", "x", "<script>alert(1)</script>", "0" * 8000, f"ff-{'1' * 32}-{'1' * 16}-01"],
    ids=["empty", "short", "markup", "long", "version"],
)
def test_header_that_is_not_valid_is_ignored(traced: Traced, text: str) -> None:
    answer = traced.stack.http.post(
        "/predict",
        json={"model": "doubling", "features": ROW},
        headers=[("traceparent", text), ("x-caller-id", "a")],
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")


def test_header_that_is_sent_twice_is_ignored(traced: Traced) -> None:
    trace_id, _, headers = caller()
    twice = [*headers.items(), *caller()[2].items()]
    body = {"model": "doubling", "features": ROW}
    assert traced.stack.http.post("/predict", json=body, headers=twice).status_code == 200
    assert traced.collector.of(trace_id) == []


def test_first_lines_of_a_bulk_request_are_traced_below_one_span(traced: Traced) -> None:
    trace_id, span_id, headers = caller()
    line = json.dumps({"model": "doubling", "features": ROW}) + "\n"
    headers["content-type"] = "application/x-ndjson"
    answer = traced.stack.http.post("/predict/async", content=line * 20, headers=headers)
    ids = [json.loads(each)["id"] for each in answer.text.splitlines()]
    for task_id in ids:
        traced.stack.outcome(task_id)

    def attempts() -> list[Seen]:
        found = [span for span in traced.collector.of(trace_id) if span.name == ATTEMPT]
        return found if len(found) == MAX_TRACED_LINES else []

    found = until(attempts, "the attempts")
    (sent,) = [span for span in traced.collector.of(trace_id) if span.name == SENT]
    assert (sent.parent_id, sent.attributes["messaging.batch.message_count"]) == (span_id, 20)
    assert {span.parent_id for span in found} == {sent.span_id}
    of = {span.attributes["messaging.message.id"] for span in found}
    assert of == set(ids[:MAX_TRACED_LINES])


def test_each_attempt_has_a_span_and_the_last_one_leaves_a_dead_letter(traced: Traced) -> None:
    trace_id, _, headers = caller()
    body = {"model": "lethal", "features": [DEADLY, 0.0]}
    answer = traced.stack.http.post("/predict/async", json=body, headers=headers)
    assert traced.stack.outcome(answer.json()["id"], 60)["status"] == "failed"

    traced.collector.wait(trace_id, SENT, "settle")
    spans = traced.collector.of(trace_id)
    lost = [span for span in spans if span.name == ATTEMPT]
    (last,) = [span for span in spans if span.name == "settle"]
    assert [span.is_error for span in lost] == [True] * MAX_ATTEMPTS
    assert {span.attributes["error.type"] for span in (*lost, last)} == {"worker_lost"}
    assert (last.is_error, last.attributes["predictq.dead_letter"]) == (True, True)
    (line,) = [
        json.loads(line)
        for line in (traced.stack.home / "logs" / "worker.log").read_text().splitlines()
        if trace_id in line
    ]
    assert line["id"] == answer.json()["id"]


def test_error_of_the_model_is_that_of_the_attempt(traced: Traced) -> None:
    trace_id, _, headers = caller()
    body = {"model": "touchy", "features": [GUILTY, 0.0]}
    traced.stack.http.post("/predict", json=body, headers=headers)
    attempt = traced.collector.wait(trace_id, ATTEMPT)[ATTEMPT]
    assert (attempt.is_error, attempt.attributes["error.type"]) == (True, "model_error")
    assert str(GUILTY) not in repr(traced.collector.of(trace_id))


def test_prediction_that_waits_for_the_same_answer_is_linked_to_it(traced: Traced) -> None:
    (leading, _, first), (following, _, second), (late, _, third) = caller(), caller(), caller()
    body = {"model": "doubling", "features": [17.0, 0.0], "cache": 60}
    http = traced.stack.http
    with traced.stack.gathering():
        leader = http.post("/predict/async", json=body, headers=first).json()["id"]
        follower = http.post("/predict/async", json=body, headers=second).json()["id"]
    assert traced.stack.outcome(follower)["receipt"]["cached"]
    assert http.post("/predict", json=body, headers=third).json()["receipt"]["cached"]

    sent = traced.collector.wait(leading, SENT, ATTEMPT)[SENT]
    joined = traced.collector.wait(following, SENT)[SENT]
    assert joined.links == [sent.context]
    assert joined.attributes["predictq.leader"] == leader
    cached = traced.collector.wait(late, SENT)[SENT]
    assert (cached.links, cached.attributes["predictq.cached"]) == ([sent.context], True)


def test_refused_submission_has_the_error(traced: Traced) -> None:
    (_, _, headers), (trace_id, _, again) = caller(), caller()
    headers["idempotency-key"] = again["idempotency-key"] = "traced"
    body = {"model": "doubling", "features": ROW}
    assert traced.stack.http.post("/predict", json=body, headers=headers).status_code == 200
    other = {"model": "doubling", "features": [4.0, 0.0]}
    assert traced.stack.http.post("/predict", json=other, headers=again).status_code == 422
    sent = traced.collector.wait(trace_id, SENT)[SENT]
    assert (sent.is_error, sent.attributes["error.type"]) == (True, "idempotency_conflict")


def test_webhook_goes_on_with_the_trace(traced: Traced) -> None:
    trace_id, _, headers = caller()
    stack = traced.stack
    stack.start("webhooks")
    with receiving() as receiver:
        hook = {"url": f"{receiver.url}/hook"}
        body = {"model": "doubling", "features": ROW, "webhook": hook}
        stack.http.post("/predict/async", json=body, headers=headers)
        until(lambda: receiver.on("/hook"), "the event")
        ((_, given, _, _),) = receiver.on("/hook")
    spans = traced.collector.wait(trace_id, SENT, ATTEMPT, "send webhook")
    delivery = spans["send webhook"]
    assert given["traceparent"] == f"00-{trace_id}-{delivery.span_id}-01"
    assert (delivery.parent_id, delivery.process) == (spans[SENT].span_id, "webhooks")
    assert delivery.attributes["http.response.status_code"] == 200


def test_batch_job_has_a_span_above_those_of_its_steps(traced: Traced) -> None:
    trace_id, span_id, headers = caller()
    stack, path = traced.stack, traced.stack.home.parent / "rows.csv"
    path.write_text("a,b\n" + "3.0,0.0\n" * 50)
    body = {"model": "doubling", "input_uri": str(path)}
    answer = stack.http.post("/predict/batch", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["id"]

    names = "send bulk", "validate", "chunk", "finalize", "batch job"
    spans = traced.collector.wait(trace_id, *names)
    job = spans["batch job"]
    assert (spans["send bulk"].parent_id, job.parent_id) == (span_id, spans["send bulk"].span_id)
    assert {spans[step].parent_id for step in names[1:4]} == {job.span_id}
    assert all(span.attributes["predictq.job"] == job_id for span in spans.values())
    assert (job.attributes["predictq.rows"], job.attributes["predictq.outcome"]) == (
        50,
        "completed",
    )


def test_collector_that_refuses_spans_costs_spans_and_no_predictions(traced: Traced) -> None:
    traced.collector.status = 400
    try:
        for _ in range(3):
            _, _, headers = caller()
            body = {"model": "doubling", "features": ROW}
            answer = traced.stack.http.post("/predict", json=body, headers=headers)
            assert answer.json()["status"] == "succeeded"
        lost = 'predictq_spans_total{result="lost"}'
        until(lambda: lost in traced.stack.http.get("/metrics").text, "the count")
    finally:
        traced.collector.status = 200
    test_prediction_is_one_trace_from_its_caller_to_its_outcome(traced, "/predict")
