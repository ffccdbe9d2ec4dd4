"""Pending predictions: submission, look-up and cancellation."""

import pytest

from predictq import Gone, NotFound, Pending, Prediction
from tests.unit.fake_server import Answer, outcome, pending, problem, succeeded

ROW = [5.1, 3.5, 1.4, 0.2]


def test_submit_gives_what_was_accepted(server, client):
    server.script(pending())
    accepted = client.submit("iris", ROW, method="predict_proba")
    assert isinstance(accepted, Pending)
    assert (accepted.id, accepted.task_id, accepted.status) == ("p1", "p1", "queued")
    assert accepted.urls.result == "/predict/result/p1"
    assert accepted.retry_after == 1
    assert server.asked[0].body["method"] == "predict_proba"


def test_submitting_again_under_a_key_may_find_it_done(server, client):
    server.script(succeeded([1]))
    accepted = client.submit("iris", ROW, idempotency_key="mine")
    assert (accepted.id, accepted.status) == ("p1", "succeeded")
    assert server.asked[0].headers["Idempotency-Key"] == "mine"


def test_pending_result_is_its_own_outcome(server, client):
    server.script(pending(), pending(), succeeded([1]))
    accepted = client.submit("iris", ROW)
    assert isinstance(accepted.result(), Pending)
    finished = accepted.result(wait=5)
    assert isinstance(finished, Prediction)
    assert server.asked[-1].headers["Prefer"] == "wait=5"


def test_result_without_a_wait_is_the_present_state(server, client, clock):
    server.script(pending(status="running"))
    assert client.result("p1").status == "running"
    assert server.asked[0].headers["Prefer"] == "wait=0"
    assert clock.slept == []


def test_result_tells_what_a_queued_prediction_waits_for(server, client):
    server.script(pending(queue_position=7, eta_seconds=1.5, waiting_for="capacity"), pending())
    waiting, unknown = client.result("p1"), client.result("p1")
    assert (waiting.queue_position, waiting.eta_seconds) == (7, 1.5)
    assert waiting.waiting_for == "capacity"
    assert (unknown.queue_position, unknown.eta_seconds, unknown.waiting_for) == (None, None, None)


def test_result_wait_ends_with_the_present_state(server, client, clock):
    server.behave = lambda _: pending(status="running")
    assert isinstance(client.result("p1", wait=3), Pending)
    assert sum(clock.slept) == pytest.approx(3, abs=0.01)


def test_result_polling_is_bounded_without_retry_after(server, client):
    server.behave = lambda _: pending(retry_after=None)
    client.result("p1", wait=2)
    assert len(server.asked) == 5
    server.behave = lambda _: pending(retry_after="0")
    client.result("p1", wait=1)
    assert len(server.asked) < 30


def test_absolute_addresses_are_followed(server, client):
    first = pending()
    first.body["urls"]["result"] = f"{server.url}/elsewhere/p1"
    server.script(first, succeeded([1]))
    client.predict("iris", ROW)
    assert server.calls[-1] == ("GET", "/elsewhere/p1")


def test_id_is_quoted(server, client):
    server.script(problem(404, "prediction_not_found"))
    with pytest.raises(NotFound):
        client.result("../health?x")
    assert server.calls == [("GET", "/predict/result/..%2Fhealth%3Fx")]


def test_label(server, client):
    states = [{"id": "p1", "counted": True}]
    server.script(Answer(200, {"labels": states}))
    assert client.label({"p1": [1, None]}) == states
    assert server.calls == [("POST", "/predict/labels")]


def test_cancel(server, client):
    server.script(outcome("cancelled"), problem(410, "result_gone"))
    client.cancel("p1")
    assert server.calls == [("DELETE", "/predict/result/p1")]
    with pytest.raises(Gone):
        client.cancel("p1")
