"""`Client.predict`: submission, waiting, and an error for each bad outcome."""

import threading

import pytest

from predictq import (
    InvalidRequest,
    PredictionCancelled,
    PredictionExpired,
    PredictionFailed,
    WaitTimeout,
)
from tests.unit.fake_server import DROP, Answer, outcome, pending, problem, succeeded

ROW = [5.1, 3.5, 1.4, 0.2]
LOOK = ("GET", "/predict/result/p1")


def test_predict_gives_the_outcome(server, client):
    server.script(succeeded(["setosa"]))

    answer = client.predict("iris@production", ROW, method="predict")

    assert answer.predictions == ["setosa"]
    assert (answer.id, answer.status, answer.receipt.version) == ("p1", "succeeded", 3)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/predict")
    assert asked.body == {"model": "iris@production", "features": ROW, "method": "predict"}
    assert asked.headers["Prefer"] == "wait=30"


def test_predict_sends_the_time_limits(server, client):
    server.script(succeeded([1]), pending())

    client.predict("iris", ROW, max_queue_seconds=60, timeout_seconds=0.5)
    client.submit("iris", ROW, max_queue_seconds=1.5)

    told = {"model": "iris", "features": ROW, "method": "predict"}
    assert [asked.body for asked in server.asked] == [
        told | {"max_queue_seconds": 60, "timeout_seconds": 0.5},
        told | {"max_queue_seconds": 1.5},
    ]


def test_client_sends_the_cache_setting(server, client):
    server.script(*[succeeded([1])] * 3)
    for setting in (True, False, 60):
        client.predict("iris", ROW, cache=setting)
    assert [asked.body["cache"] for asked in server.asked] == [True, False, 60]
    for wrong in ("on", 0, 1.5):
        with pytest.raises(InvalidRequest, match="cache"):
            client.predict("iris", ROW, cache=wrong)


def test_client_sends_the_priority(server, client):
    server.script(succeeded([1]), pending())

    client.predict("iris", ROW, priority="high")
    client.submit("iris", ROW, priority="low")

    assert [asked.body["priority"] for asked in server.asked] == ["high", "low"]
    with pytest.raises(InvalidRequest, match="priority"):
        client.submit("iris", ROW, priority=7)


def test_client_sends_the_sticky_key(server, client):
    server.script(succeeded([1]), pending())

    client.predict("iris", ROW, sticky="ada")
    client.submit("iris", ROW, sticky="bob")

    assert [asked.body["sticky"] for asked in server.asked] == ["ada", "bob"]
    with pytest.raises(InvalidRequest, match="sticky"):
        client.submit("iris", ROW, sticky=7)


def test_predict_asks_again_until_there_is_an_outcome(server, client, clock):
    server.script(pending(retry_after="2"), pending(status="running"), succeeded([1]))

    assert client.predict("iris", ROW, timeout=30).predictions == [1]

    assert server.calls == [("POST", "/predict"), LOOK, LOOK]
    assert [asked.headers["Prefer"] for asked in server.asked[1:]] == ["wait=28", "wait=27"]
    assert clock.slept == [2, 1]


def test_predict_waits_for_two_minutes(server, client, clock):
    """Longer than predictions of a killed worker are away."""
    server.behave = lambda _: pending(status="running")
    with pytest.raises(WaitTimeout):
        client.predict("iris", ROW)
    assert sum(clock.slept) == pytest.approx(120, abs=0.1)
    assert server.asked[0].headers["Prefer"] == "wait=30"


def test_predict_wait_that_times_out_names_the_id(server, client):
    server.behave = lambda _: pending()
    with pytest.raises(WaitTimeout, match=r"client.result\('p1', wait=60\)") as caught:
        client.predict("iris", ROW, timeout=2.6)
    assert caught.value.id == "p1"
    assert caught.value.retryable
    assert [asked.headers["Prefer"] for asked in server.asked] == [
        "wait=3",
        "wait=2",
        "wait=1",
        "wait=0",
    ]


@pytest.mark.parametrize("trouble", [DROP, problem(503, "unavailable", Retry_After="1")])
def test_accepted_prediction_is_awaited_through_an_outage(server, client, trouble):
    server.script(pending(), *[trouble] * 7, succeeded([1]))
    assert client.predict("iris", ROW).predictions == [1]


def test_predict_repeats_a_broken_request_under_the_same_key(server, client):
    server.script(DROP, succeeded([1]))
    assert client.predict("iris", ROW).predictions == [1]
    first, second = (asked.headers["Idempotency-Key"] for asked in server.asked)
    assert first == second


def test_predictions_have_keys_of_their_own(server, client):
    server.behave = lambda _: succeeded([1])
    client.predict("iris", ROW)
    client.predict("iris", ROW)
    assert len({asked.headers["Idempotency-Key"] for asked in server.asked}) == 2


def test_predict_raises_a_failed_outcome(server, client):
    error = {"code": "model_error", "message": "it raised", "retryable": False}
    server.script(outcome("failed", error=error))
    with pytest.raises(PredictionFailed, match="it raised") as caught:
        client.predict("iris", ROW)
    assert (caught.value.id, caught.value.code) == ("p1", "model_error")
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("status", "error"),
    [("cancelled", PredictionCancelled), ("expired", PredictionExpired)],
)
def test_unsuccessful_outcomes_are_errors(server, client, status, error):
    server.script(outcome(status))
    with pytest.raises(error, match="p1"):
        client.predict("iris", ROW)


def ended(status, code, retryable=False):
    """The problem of a prediction that failed, as `POST /predict` answers it."""
    told = problem(status, code, retryable=retryable)
    return Answer(status, told.body | {"id": "p1", "urls": pending().body["urls"]})


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (422, "model_error", False),
        (500, "model_unloadable", False),
        (503, "worker_lost", True),
        (504, "timed_out", False),
    ],
)
def test_predict_raises_the_same_error_for_a_problem(server, client, status, code, retryable):
    server.script(ended(status, code, retryable))
    with pytest.raises(PredictionFailed, match=f"that is {code}") as caught:
        client.predict("iris", ROW)
    assert (caught.value.id, caught.value.code) == ("p1", code)
    assert caught.value.retryable is retryable
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(409, "cancelled", PredictionCancelled), (504, "expired", PredictionExpired)],
)
def test_unsuccessful_outcomes_as_problems_are_the_same_errors(server, client, status, code, error):
    server.script(ended(status, code))
    with pytest.raises(error, match="p1"):
        client.predict("iris", ROW)


def test_predict_distinguishes_a_refusal_from_a_failure(server, client):
    server.script(problem(422, "invalid_features"))
    with pytest.raises(InvalidRequest, match="invalid_features"):
        client.predict("iris", ROW)


def test_threads_share_a_client(server, client):
    server.behave = lambda asked: succeeded(asked.body["features"])
    answers = {}

    def ask(number):
        answers[number] = client.predict("iris", [number]).predictions

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: [number] for number in range(20)}
