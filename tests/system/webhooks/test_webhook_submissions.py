"""Submissions that name a webhook: their event is recorded with the outcome."""

import json

import pytest

from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tests.support.stack import Json, LiveStack, until

HOOK = {"url": "https://app.example.com/hook"}
ROW = [5.1, 3.5, 1.4, 0.2]


def events(stack: LiveStack, subject: str) -> list[Json]:
    """The events of a prediction that wait; the shared stack has no deliverer."""
    with connect(stack.redis_url) as client:
        return [json.loads(each) for each in client.lrange(keys.WEBHOOK_EVENTS + subject, 0, -1)]


@pytest.mark.parametrize("fast", [True, False])
def test_outcome_of_a_submission_is_told_to_its_webhook(stack: LiveStack, fast: bool) -> None:
    body = {"model": "iris", "features": ROW, "webhook": HOOK}
    headers = {} if fast else {"idempotency-key": "webhook"}  # which only Flask takes
    answer = stack.http.post("/predict/async", json=body, headers=headers)
    assert answer.status_code == 202
    task_id = answer.json()["id"]
    stack.outcome(task_id)

    (event,) = until(lambda: events(stack, task_id), "the event")
    assert (event["type"], event["url"]) == ("prediction.succeeded", HOOK["url"])
    assert (event["version"], event["origin"]) == ("iris:1", "https://app.example.com:443")


def test_lines_of_a_bulk_request_have_webhooks_of_their_own_or_a_common_one(
    stack: LiveStack,
) -> None:
    own = {"url": "https://own.example.com/", "events": ["prediction.succeeded"]}
    document = {
        "model": "iris",
        "webhook": HOOK,
        "requests": [{"features": ROW}, {"features": ROW, "webhook": own}],
    }
    answer = stack.http.post("/predict/async", json=document)
    ids = [json.loads(line)["id"] for line in answer.text.splitlines()]
    for task_id in ids:
        stack.outcome(task_id)

    told = [until(lambda i=i: events(stack, i), "the event")[0]["url"] for i in ids]
    assert told == [HOOK["url"], own["url"]]


@pytest.mark.parametrize(
    "hook",
    [
        {"url": "http://app.example.com/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://app.example.com:22/"},
    ],
)
def test_address_that_may_not_be_used_is_refused(stack: LiveStack, hook: Json) -> None:
    body = {"model": "iris", "features": ROW, "webhook": hook}
    answer = stack.http.post("/predict/async", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["loc"] == ["webhook", "url"]


def test_unknown_event_is_refused(stack: LiveStack) -> None:
    hook = {**HOOK, "events": ["prediction.started"]}
    body = {"model": "iris", "features": ROW, "webhook": hook}
    answer = stack.http.post("/predict/async", json=body)
    assert answer.status_code == 422
    assert "webhook" in answer.text


def test_webhooks_are_counted(stack: LiveStack) -> None:
    text = stack.http.get("/metrics").text
    for name in ("webhooks", "webhook_events_total", "webhook_failed_attempts_total"):
        assert f"predictq_{name}" in text
