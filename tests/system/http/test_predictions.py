"""A prediction over HTTP (submit, look up, wait, cancel) and by stock Celery."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from celery import Celery
from celery.result import AsyncResult

from predictq import Client
from tests.support.stack import TEST_TIMEOUT, Json, LiveStack, until
from tests.support.stock_producer import Stock

ROW = [5.1, 3.5, 1.4, 0.2]
BODY = {"model": "iris", "features": ROW}
RECEIPT = {
    "model",
    "version",
    "sha256",
    "alias",
    "attempt",
    "queue_ms",
    "compute_ms",
    "batch_size",
    "runtime",
}


@pytest.fixture
def stock(stack: LiveStack) -> Celery:
    """A stock Celery application that knows only the URLs of broker and backend."""
    return Stock(stack.redis_url).app


def test_submission_is_answered_with_the_address_of_its_outcome(stack: LiveStack) -> None:
    answer = stack.http.post("/predict/async", json=BODY)
    body = answer.json()
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["location"] == f"/predict/result/{body['id']}"
    assert int(answer.headers["retry-after"]) >= 1
    assert (body["status"], body["model"], body["version"]) == ("queued", "iris", 1)
    assert body["task_id"] == body["id"] == str(uuid.UUID(body["id"]))
    assert datetime.fromisoformat(body["created_at"]) < datetime.fromisoformat(body["expires_at"])
    assert stack.http.get(body["urls"]["result"]).status_code in (200, 202)


@pytest.mark.parametrize(
    ("preferred", "applied"),
    [("wait=5", None), ("respond-async, wait=5", "respond-async")],
)
def test_async_submission_never_waits(
    stack: LiveStack, preferred: str, applied: str | None
) -> None:
    with stack.frozen_pool():
        answer = stack.http.post("/predict/async", json=BODY, headers={"Prefer": preferred})
        assert answer.status_code == 202
        assert answer.headers.get("preference-applied") == applied
        assert answer.elapsed.total_seconds() < 0.9
    assert stack.outcome(answer.json()["id"])["predictions"] == [0]


def test_outcome_holds_predictions_and_a_receipt(stack: LiveStack) -> None:
    submitted = stack.submit("iris@production", [ROW, ROW])
    outcome = stack.outcome(submitted["id"])
    receipt = outcome["receipt"]
    assert outcome["status"] == "succeeded"
    assert outcome["predictions"] == [0, 0]
    assert set(receipt) == RECEIPT
    assert (receipt["model"], receipt["version"], receipt["alias"]) == ("iris", 1, "production")
    assert receipt["sha256"] == stack.http.get("/models/iris").json()["details"][0]["sha256"]
    assert receipt["attempt"] == 1
    assert receipt["batch_size"] >= 2
    assert receipt["queue_ms"] >= 0
    assert receipt["compute_ms"] > 0
    assert receipt["runtime"].startswith("scikit-learn ")
    assert outcome.items() >= {k: submitted[k] for k in ("id", "task_id", "created_at")}.items()
    assert stack.outcome(submitted["id"]) == outcome


def test_pending_outcome_is_202_with_retry_after(stack: LiveStack) -> None:
    with stack.frozen_pool():
        stack.submit("iris", ROW)  # may be handed over, and then is running
        pending = stack.http.get(stack.submit("iris", ROW)["urls"]["result"])
        assert pending.status_code == 202
        assert pending.json()["status"] == "queued"
        assert int(pending.headers["retry-after"]) >= 1
    assert stack.outcome(pending.json()["id"])["status"] == "succeeded"


def test_predict_waits(stack: LiveStack) -> None:
    answer = stack.http.post("/predict", json=BODY)
    assert answer.status_code == 200
    assert answer.json()["predictions"] == [0]
    assert answer.headers["location"] == f"/predict/result/{answer.json()['id']}"
    assert "preference-applied" not in answer.headers


def test_predict_waits_as_long_as_preferred(stack: LiveStack) -> None:
    with stack.frozen_pool():
        answer = stack.http.post("/predict", json=BODY, headers={"Prefer": "wait=1"})
        assert answer.status_code == 202
        assert answer.headers["preference-applied"] == "wait=1"
        assert 0.9 < answer.elapsed.total_seconds() < 2.5
    done = stack.http.get(answer.json()["urls"]["result"], headers={"Prefer": "wait=20"})
    assert done.status_code == 200
    assert done.headers["preference-applied"] == "wait=20"


def test_respond_async_does_not_wait(stack: LiveStack) -> None:
    with stack.frozen_pool():
        answer = stack.http.post("/predict", json=BODY, headers={"Prefer": "respond-async"})
        assert answer.status_code == 202
        assert answer.headers["preference-applied"] == "respond-async"
        assert answer.elapsed.total_seconds() < 0.9
    assert stack.outcome(answer.json()["id"])["predictions"] == [0]


def test_outcome_wakes_waiting_requests(stack: LiveStack) -> None:
    seconds = []
    for _ in range(5):
        answer = stack.http.post("/predict", json=BODY)
        seconds.append(answer.elapsed.total_seconds())
    assert min(seconds) < 0.5  # polling without the wake-up takes a second


def test_more_requests_wait_than_there_are_threads(stack: LiveStack) -> None:

    def wait(_: int) -> float:
        answer = stack.http.post("/predict", json=BODY, headers={"Prefer": "wait=2"})
        assert answer.status_code == 202
        assert answer.headers["preference-applied"] == "wait=2"
        return answer.elapsed.total_seconds()

    with stack.frozen_pool(), ThreadPoolExecutor(40) as pool:
        waited = list(pool.map(wait, range(40)))
    assert min(waited) > 1.9
    until(lambda: stack.http.get("/stats").json()["queues"]["predict"] == 0, "an empty queue")


def test_cancelled_prediction_stays_cancelled(stack: LiveStack) -> None:
    with stack.frozen_pool():
        submitted = stack.submit("iris", ROW)
        cancelled = stack.http.delete(submitted["urls"]["cancel"])
        assert cancelled.status_code == 200
        assert cancelled.json()["status"] == "cancelled"
        assert "predictions" not in cancelled.json()
    assert stack.serves()
    assert stack.outcome(submitted["id"])["status"] == "cancelled"


def test_cancelling_an_outcome_changes_nothing(stack: LiveStack) -> None:
    outcome = stack.outcome(stack.submit("iris", ROW)["id"])
    answer = stack.http.delete(f"/predict/result/{outcome['id']}")
    assert (answer.status_code, answer.json()) == (200, outcome)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "task_id",
    [
        "a35435d4-bddb-468b-9de8-49efcfe21e77",
        "01935c2e-0000-7000-8000-000000000000",
        "an id that is no id",
        "00000000-0000-0000-0000-000000000000",
        "%00",
        "ü" * 300,
    ],
)
def test_unknown_id_is_404(stack: LiveStack, method: str, task_id: str) -> None:
    answer = stack.http.request(method, f"/predict/result/{task_id}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "prediction_not_found"


def test_forged_id_is_404(stack: LiveStack) -> None:
    known = stack.submit("iris", ROW)["id"]
    forged = known[:-1] + ("0" if known[-1] != "0" else "1")
    assert stack.http.get(f"/predict/result/{forged}").status_code == 404


@pytest.mark.parametrize("model", ["iris", "iris@production", "iris:1"])
def test_model_is_named_in_three_ways(stack: LiveStack, model: str) -> None:
    outcome = stack.outcome(stack.submit(model, ROW)["id"])
    assert (outcome["model"], outcome["version"]) == ("iris", 1)
    assert outcome["receipt"]["alias"] == ("production" if "@" in model else None)


def test_client_predicts_submits_and_lists_models(stack: LiveStack) -> None:
    with Client(stack.url) as client:
        prediction = client.predict("iris@production", [ROW], method="predict_proba")
        assert prediction.predictions == stack.predict("iris", [ROW], "predict_proba")
        pending = client.submit("iris", ROW)
        assert client.result(pending.id, wait=TEST_TIMEOUT).predictions == [0]
        assert {model["name"] for model in client.models()} == {"iris", "breast-cancer", "diabetes"}
        assert client.ready()


def test_id_is_a_celery_task_id(stack: LiveStack, stock: Celery) -> None:
    task_id = stack.submit("iris", [ROW])["task_id"]
    stack.outcome(task_id)
    result = AsyncResult(task_id, app=stock)
    assert result.status == "SUCCESS"
    assert result.result == [0]
    assert result.get(timeout=TEST_TIMEOUT) == [0]


def test_stock_celery_sees_a_cancelled_task(stack: LiveStack, stock: Celery) -> None:
    with stack.frozen_pool():
        submitted = stack.submit("iris", ROW)
        stack.http.delete(submitted["urls"]["cancel"])
    assert AsyncResult(submitted["id"], app=stock).status == "REVOKED"


def sent(stock: Celery, **kwargs: Any) -> AsyncResult:
    return stock.send_task("tasks.prediction.predict", kwargs=kwargs, queue="predict")


def test_stock_producer_is_served(stack: LiveStack, stock: Celery) -> None:
    result = sent(stock, model="iris@production", features=[ROW, ROW])
    assert result.get(timeout=TEST_TIMEOUT) == [0, 0]
    outcome = stack.outcome(result.id)
    assert outcome["predictions"] == [0, 0]
    assert (outcome["model"], outcome["version"]) == ("iris", 1)
    assert outcome["receipt"]["version"] == 1


def failure(stack: LiveStack, result: AsyncResult) -> Json:
    """Wait for the outcome; a stock message has no record before."""
    until(result.ready, "the outcome of a stock message")
    assert result.status == "FAILURE"
    outcome = stack.outcome(result.id)
    assert outcome["status"] == "failed"
    assert "predictions" not in outcome
    return outcome["error"]


@pytest.mark.parametrize(
    ("kwargs", "code", "says"),
    [
        ({"model": "iris", "features": [[1.0]]}, "invalid_features", "expected 4"),
        ({"model": "iris", "features": []}, "invalid_features", "at least one row"),
        ({"model": "iris", "features": "abc"}, "invalid_features", "a row as a list"),
        ({"model": "nobody", "features": [ROW]}, "model_not_found", "nobody"),
        ({"model": 7, "features": [ROW]}, "invalid", "model"),
        ({"model": "iris", "features": [ROW], "method": "fit"}, "unsupported_method", "fit"),
        ({"model": "iris"}, "invalid", "features"),
        ({"model": "iris", "features": [ROW], "more": 1}, "invalid", "more"),
        ({}, "invalid", "model"),
    ],
)
def test_invalid_stock_message_fails_and_says_why(
    stack: LiveStack, stock: Celery, kwargs: Json, code: str, says: str
) -> None:
    error = failure(stack, sent(stock, **kwargs))
    assert error["code"] == code
    assert says in error["message"]
    assert error["retryable"] is False
    assert "Traceback" not in error["message"]
