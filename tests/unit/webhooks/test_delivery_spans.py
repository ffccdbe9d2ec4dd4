"""The span of a delivery: below the one that sent the subject, without the URL."""

import pytest

from tasks.webhooks.outbox import Held, WebhookEvent
from telemetry.tracing.traceparent import SpanContext, new_span_id, new_trace_id
from webhooks.guard import TargetUnreachable
from webhooks.sending import ReceiverAnswer
from webhooks.spans import DeliverySpan


def held(traceparent: str) -> Held:
    event = WebhookEvent(
        id="evt_1",
        type="prediction.succeeded",
        subject="a",
        version="m:3",
        url="https://app.example.com/secret?token=1",
        origin="https://app.example.com:443",
        at="1.000000",
        traceparent=traceparent,
    )
    return Held(event, "2.000000", 1)


@pytest.mark.parametrize("text", ["", "x", SpanContext("1" * 32, "1" * 16, is_sampled=False).text])
def test_without_a_sampled_subject_there_is_none(text: str) -> None:
    assert DeliverySpan.of(held(text)) is None


@pytest.mark.parametrize(
    ("result", "status", "error"),
    [
        (ReceiverAnswer(204), 204, ""),
        (ReceiverAnswer(503), 503, "503"),
        (TargetUnreachable("no address"), None, "unreachable"),
    ],
)
def test_span_tells_what_came_of_the_attempt(
    result: ReceiverAnswer | TargetUnreachable, status: int | None, error: str
) -> None:
    sent = SpanContext(new_trace_id(), new_span_id())
    delivery = DeliverySpan.of(held(sent.text))
    assert delivery is not None
    span = delivery.ended(held(sent.text), result)
    assert (span.trace_id, span.parent_id, span.span_id) == (*sent[:2], delivery.context.span_id)
    assert (span.attributes.get("http.response.status_code"), span.error) == (status, error)
    assert span.attributes["server.address"] == "app.example.com"
    assert "secret" not in repr(span)
