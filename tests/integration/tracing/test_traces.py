"""Whole traces, from the caller's span to the outcome, as a collector gets them."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from telemetry.tracing.traceparent import new_span_id, new_trace_id
from tests.support.models import Doubling, Lethal, Touchy, register
from tests.support.stack import LiveStack, running
from tests.support.tracing.collector import Collector, Seen, collecting

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
        "predictq.tenant": "default",
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
