"""The routes that wait for predictions, look them up and cancel them."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from api.http.prefer import MAX_WAIT_SECONDS
from telemetry.errors import Busy, ModelError
from tests.callers import OWNER, environ_of
from tests.unit.api.predictions.routes_harness import (
    BODY,
    QUEUED,
    SUCCEEDED,
    Gateway,
    left_to_the_loop,
)


def test_waiting_submission_is_left_to_the_event_loop(web: FlaskClient) -> None:
    (asked,) = left_to_the_loop(web, "POST", "/predict", json=BODY, headers={"Prefer": "wait=7"})
    assert (asked.accepted.task_id, asked.seconds, asked.is_submission) == ("an-id", 7, True)
    (asked,) = left_to_the_loop(web, "POST", "/predict", json=BODY)
    assert asked.seconds == MAX_WAIT_SECONDS


@pytest.mark.parametrize("preferred", ["respond-async", "wait=0"])
def test_submission_that_does_not_wait_is_answered_by_its_view(
    web: FlaskClient, preferred: str
) -> None:
    headers = {"Prefer": preferred}
    assert left_to_the_loop(web, "POST", "/predict", json=BODY, headers=headers) == []
    answer = web.post("/predict", json=BODY, headers=headers)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, preferred)


def test_view_without_an_event_loop_does_not_wait(web: FlaskClient) -> None:
    answer = web.post("/predict", json=BODY, headers={"Prefer": "wait=7"})
    assert (answer.status_code, "Preference-Applied" in answer.headers) == (202, False)


def test_submission_of_a_failed_prediction_is_a_problem_where_it_waits(
    web: FlaskClient, gateway: Gateway
) -> None:
    gateway.records["an-id"] = QUEUED.failed(ModelError("no"), 1, "Traceback")
    answer = web.post("/predict", json=BODY)
    assert (answer.status_code, answer.json["code"]) == (422, "model_error")
    assert answer.headers["Location"] == "/predict/result/an-id"
    for known in (web.get("/predict/result/an-id"), web.post("/predict/async", json=BODY)):
        assert (known.status_code, known.json["status"]) == (200, "failed")


class NoRoom:
    """Refuses every answer with `Busy`."""

    def budgeted(self, response: Any) -> Any:
        if response.status_code == 200:
            raise Busy
        return response


@pytest.mark.parametrize("sending", [NoRoom()])
def test_outcome_too_large_to_send_is_refused(web: FlaskClient, gateway: Gateway) -> None:
    gateway.records["an-id"] = SUCCEEDED
    assert web.get("/predict/result/an-id").json["code"] == "busy"
    assert web.post("/predict", json=BODY).json["code"] == "busy"


def test_look_up_waits_only_where_that_is_preferred(web: FlaskClient, gateway: Gateway) -> None:
    gateway.records["an-id"] = QUEUED
    path, waiting = "/predict/result/an-id", {"Prefer": "wait=2"}
    assert left_to_the_loop(web, "GET", path) == []
    (asked,) = left_to_the_loop(web, "GET", path, headers=waiting)
    assert (asked.accepted, asked.seconds, asked.is_submission) == (QUEUED, 2, False)
    gateway.records["an-id"] = SUCCEEDED
    assert left_to_the_loop(web, "GET", path, headers=waiting) == []
    assert web.get("/predict/result/another").json["code"] == "prediction_not_found"


def test_traceback_is_shown_with_the_scope_operate(web: FlaskClient, gateway: Gateway) -> None:
    gateway.records["an-id"] = QUEUED.failed(ModelError("no"), 1, "Traceback")
    path = "/predict/result/an-id?debug=true"
    assert web.get(path).json["code"] == "key_missing"
    told = web.get(path, environ_base=environ_of(OWNER))
    assert (told.status_code, told.json["traceback"]) == (200, "Traceback")


def test_cancel_returns_the_outcome(web: FlaskClient, gateway: Gateway) -> None:
    gateway.records["an-id"] = replace(QUEUED, state="running")
    answer = web.delete("/predict/result/an-id")
    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    assert web.delete("/predict/result/another").status_code == 404
