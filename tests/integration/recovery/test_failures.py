"""Predictions that fail: their status codes, and who is told the traceback."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import httpx2
import pytest
from celery import Celery
from celery.result import AsyncResult

from predictq import Client, PredictionCancelled, PredictionExpired, PredictionFailed
from registry.store import Registry
from tests.integration.jobs.job_harness import JobHarness
from tests.support.bulk_stack import computing_jobs
from tests.support.models import DEADLY, GUILTY, Lethal, Silent, Sleepy, Touchy, register
from tests.support.stack import Json, LiveStack, until
from tests.support.stock_producer import Stock

FAILING = {
    "model_error": ("touchy", [GUILTY, 0.0], {}, 422, False),
    "timed_out": ("sleepy", [1.0, 5.0], {"timeout_seconds": 0.3}, 504, False),
    "artifact_missing": ("gone", [1.0, 0.0], {}, 500, False),
    "worker_lost": ("lethal", [DEADLY, 0.0], {}, 503, True),
}
"""Code → model, row, fields, and then status and whether it is retryable."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("failures")
    with computing_jobs(home, Touchy, Sleepy, Lethal, Silent) as stack:
        gone = register(home, "gone", Touchy(str(home / "gone")), [[1.0, 0.0]])
        Registry(home).artifact(gone).unlink()
        yield stack


def post(stack: LiveStack, model: str, row: Any, url: str = "/predict", **sent: Any) -> Any:
    headers = sent.pop("headers", {})
    body = {"model": model, "features": row, **sent}
    return stack.http.post(url, json=body, headers=headers)


def bearer(stack: LiveStack) -> dict[str, str]:
    key = (stack.home / "local.key").read_text().strip()
    return {"Authorization": f"Bearer {key}"}


def assert_ended(answer: httpx2.Response, status: int, code: str) -> Json:
    """Assert a problem of an accepted prediction and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: Json = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert answer.headers["location"] == problem["urls"]["result"]
    assert problem["urls"]["result"] == f"/predict/result/{problem['id']}"
    assert "retry-after" not in answer.headers
    assert "traceback" not in problem
    return problem


@pytest.mark.parametrize("code", FAILING)
def test_failure_is_a_problem_when_waited_for_and_an_outcome_when_looked_up(
    live: LiveStack, code: str
) -> None:
    model, row, fields, status, retryable = FAILING[code]
    problem = assert_ended(post(live, model, row, **fields), status, code)
    assert problem["retryable"] is retryable
    looked_up = live.http.get(problem["urls"]["result"])
    assert looked_up.status_code == 200
    outcome = looked_up.json()
    assert (outcome["status"], outcome["id"]) == ("failed", problem["id"])
    assert outcome["error"]["code"] == code
    assert outcome["error"]["message"] == problem["detail"]
    assert "traceback" not in outcome
    until(lambda: len(live.pool()) == live.parts.workers, "the pool is whole again")


def test_expiry_while_the_caller_waits(live: LiveStack) -> None:
    with live.frozen_pool():
        answer = post(live, "touchy", [1.0, 0.0], max_queue_seconds=0.2)
        with Client(live.url) as client, pytest.raises(PredictionExpired):
            client.predict("touchy", [1.0, 0.0], max_queue_seconds=0.2)
    problem = assert_ended(answer, 504, "expired")
    assert problem["retryable"]
    assert live.http.get(problem["urls"]["result"]).json()["status"] == "expired"


def test_cancelled_submission_is_answered_alike_when_repeated(live: LiveStack) -> None:
    key: dict[str, Any] = {"headers": {"Idempotency-Key": "cancelled"}}
    with live.frozen_pool():
        accepted = post(live, "touchy", [1.0, 0.0], "/predict/async", **key).json()
        live.http.delete(accepted["urls"]["cancel"])
    key = {"headers": {"Idempotency-Key": "cancelled"}}
    again = post(live, "touchy", [1.0, 0.0], "/predict/async", **key)
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")
    key = {"headers": {"Idempotency-Key": "cancelled", "Prefer": "wait=5"}}
    waited = post(live, "touchy", [1.0, 0.0], **key)
    assert assert_ended(waited, 409, "cancelled")["id"] == accepted["id"]
    assert waited.headers["preference-applied"] == "wait=5"


def test_client_raises_the_same_error_for_problem_and_outcome(live: LiveStack) -> None:
    with Client(live.url) as client:
        with pytest.raises(PredictionFailed, match="too much") as waited:
            client.predict("touchy", [GUILTY, 0.0])
        with pytest.raises(PredictionFailed, match="too much") as looked_up:
            client.result(waited.value.id)
        assert vars(waited.value) == vars(looked_up.value)
        with live.frozen_pool():
            pending = client.submit("touchy", [1.0, 0.0])
            client.cancel(pending.id)
        with pytest.raises(PredictionCancelled):
            client.result(pending.id)


def test_traceback_is_shown_only_with_the_local_key(live: LiveStack) -> None:
    wanted = post(live, "touchy", [GUILTY, 0.0], "/predict?debug=true", headers=bearer(live))
    problem = wanted.json()
    assert (wanted.status_code, problem["code"]) == (422, "model_error")
    assert problem["traceback"].startswith("Traceback (most recent call last)")
    assert "raise ValueError" in problem["traceback"]
    url = problem["urls"]["result"]
    looked_up = live.http.get(f"{url}?debug=true", headers=bearer(live))
    assert looked_up.status_code == 200
    assert looked_up.json()["traceback"] == problem["traceback"]
    assert "traceback" not in live.http.get(url, headers=bearer(live)).json()
    assert "traceback" not in live.http.get(f"{url}?debug=false").json()


@pytest.mark.parametrize(
    ("headers", "code", "told"),
    [
        ({}, "key_missing", "local.key"),
        ({"Authorization": "Bearer wrong"}, "key_invalid", "misspelt"),
    ],
)
def test_debug_without_the_local_key_is_refused(
    live: LiveStack, headers: dict[str, str], code: str, told: str
) -> None:
    task_id = live.submit("touchy", [GUILTY, 0.0])["id"]
    live.outcome(task_id)
    before = live.http.get("/stats").json()["predictions"]
    asked = [
        live.http.get(f"/predict/result/{task_id}?debug=true", headers=headers),
        post(live, "touchy", [GUILTY, 0.0], "/predict?debug=true", headers=headers),
    ]
    for answer in asked:
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert told in answer.json()["detail"]
        assert "Traceback" not in answer.text
    assert live.http.get("/stats").json()["predictions"] == before


def test_debug_adds_nothing_to_a_success(live: LiveStack) -> None:
    answer = post(live, "touchy", [2.0, 0.0], "/predict?debug=true", headers=bearer(live))
    assert (answer.status_code, answer.json()["predictions"]) == (200, [4.0])
    assert "traceback" not in answer.json()


def test_traceback_is_in_celery_s_own_fields(live: LiveStack) -> None:
    with failures_of(Stock(live.redis_url).app) as heard:

        def event() -> Json | None:
            """Fail again and look for the event: a new listener may miss the first."""
            live.outcome(live.submit("touchy", [GUILTY, 0.0])["id"])
            return heard[0] if heard else None

        told = until(event, "an event")
    kept = AsyncResult(told["uuid"], app=Stock(live.redis_url).app)
    assert kept.state == "FAILURE"
    assert "raise ValueError" in kept.traceback
    assert told["traceback"] == kept.traceback
    assert told["exception"].startswith("model_error: ValueError")


@contextmanager
def failures_of(app: Celery) -> Iterator[list[Json]]:
    """Collect task-failed events inside the context, as Flower receives them."""
    heard: list[Json] = []
    with app.connection() as connection:
        receiver = app.events.Receiver(connection, handlers={"task-failed": heard.append})
        listener = Thread(target=lambda: receiver.capture(limit=None, wakeup=False))
        listener.start()
        try:
            yield heard
        finally:
            receiver.should_stop = True
            listener.join()


def test_log_of_a_failure_has_traceback_id_and_model(live: LiveStack) -> None:
    task_id = live.submit("touchy", [GUILTY, 0.0])["id"]
    live.outcome(task_id)
    log = live.home / "logs" / "worker.log"

    def line() -> Json | None:
        lines = [text for text in log.read_text().splitlines() if task_id in text]
        return json.loads(lines[0]) if lines else None

    told = until(line, "a line in the log")
    assert (told["id"], told["model"], told["version"]) == (task_id, "touchy", 1)
    assert told["traceback"].endswith("is too much\n")


def test_model_without_an_answer_fails_at_once_and_alone(live: LiveStack) -> None:
    with live.gathering():
        good, guilty = (live.submit("silent", [value, 0.0])["id"] for value in (1.0, GUILTY))
    assert live.outcome(good)["predictions"] == [2.0]
    assert live.outcome(guilty)["error"] == {
        "code": "model_error",
        "message": "the model gave None, expected one prediction a row",
        "retryable": False,
        "attempt": 1,
    }


def test_rows_of_a_job_fail_alone(live: LiveStack, tmp_path_factory: Any) -> None:
    harness = JobHarness(live, tmp_path_factory.mktemp("job"))
    source, values = harness.numbers(300)
    values[[7, 250], 0] = GUILTY
    job = harness.run("silent", harness.parquet(values, source.stem))
    assert (job.status, job.counts.succeeded, job.counts.failed) == (
        "completed_with_errors",
        298,
        2,
    )
    told = [json.loads(line) for line in harness.errors(job)]
    assert {(line["code"], line["message"]) for line in told} == {
        ("model_error", "the model gave None, expected one prediction a row")
    }
    log = (live.home / "logs" / "bulk.log").read_text()
    assert f'"id": "{job.id}", "model": "silent", "version": 1' in log
