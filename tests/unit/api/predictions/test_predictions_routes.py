"""The routes of predictions, over a fake gateway."""

import json
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from msgspec.structs import replace

from api.http import problems
from api.http.prefer import MAX_WAIT_SECONDS
from api.limits import byte_budget
from api.limits.byte_budget import UNCOUNTED_BYTES
from api.limits.send_budget import ON_SENT, SendBudget
from api.predictions.routes import ASKED, AwaitedOutcome, Predictions
from registry.changes import Changes
from registry.splits import chosen_version
from registry.store import Registry
from tasks.ledger.queue.queue_estimate import QueueEstimate
from tasks.messages import Idempotency, Prediction
from tasks.record import Receipt, Record
from tasks.settings import Settings
from telemetry.errors import Busy, ModelError, PredictionNotFound, VersionPaused
from tests.callers import OWNER, client_of, environ_of
from tests.support.models import described

BODY = {"model": "m", "features": [[1.0], [2.0]]}
RECEIPT = Receipt(
    model="m",
    version=1,
    sha256="0" * 64,
    alias=None,
    attempt=1,
    queue_ms=1.0,
    compute_ms=1.0,
    batch_size=2,
    runtime="none",
)


class Gateway:
    """Accepts everything but paused versions."""

    queue_estimates = SimpleNamespace(
        freshen=lambda _: None, of=lambda _: QueueEstimate(queue_position=3)
    )

    def __init__(self) -> None:
        self.submitted: list[tuple[Prediction, Idempotency | None]] = []
        self.paused: set[int] = set()
        self.records: dict[str, Record] = {}

    def submit(self, prediction: Prediction, key: Idempotency | None) -> Record:
        if prediction.version in self.paused:
            raise VersionPaused
        self.submitted.append((prediction, key))
        return self.records.setdefault("an-id", Record.queued("an-id", prediction))

    def look_up(self, task_id: str) -> Record:
        if task_id not in self.records:
            raise PredictionNotFound
        return self.records[task_id]

    def cancel(self, task_id: str) -> Record:
        self.records[task_id] = self.look_up(task_id).cancelled()
        return self.records[task_id]


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    registry = Registry(tmp_path)
    for artifact in (b"one", b"two"):
        registry.add("m", described(artifact), artifact)
    Changes(registry).set_alias("m", "fallback", 1)
    return tmp_path


@pytest.fixture
def sending() -> Any:
    return SendBudget(1)


@pytest.fixture
def max_body_bytes() -> int:
    return 2**20


@pytest.fixture
def web(gateway: Any, home: Path, sending: SendBudget, max_body_bytes: int) -> FlaskClient:
    app = Flask(__name__)
    settings = Settings(
        home=home, redis_url="", threads=4, max_rows=3, max_body_bytes=max_body_bytes
    )
    views = Predictions(gateway, Registry(home), settings, sending)
    app.register_blueprint(views.blueprint())
    problems.register(app)
    return client_of(app)


QUEUED = Record.queued(
    "an-id",
    Prediction(model="m", version=2, alias=None, method="predict", features=[], created_at=1.0),
)
SUCCEEDED = QUEUED.succeeded([1, 2], RECEIPT)


def test_submission_is_pinned_and_accepted(web: FlaskClient, gateway: Gateway) -> None:
    answer = web.post("/predict/async", json=BODY)
    assert (answer.status_code, answer.json["status"]) == (202, "queued")
    assert answer.json["queue_position"] == 3
    assert answer.headers["Location"] == answer.json["urls"]["result"] == "/predict/result/an-id"
    assert answer.headers["Retry-After"] == "1"
    ((prediction, key),) = gateway.submitted
    assert (prediction.version, prediction.features, key) == (2, [[1.0], [2.0]], None)


@pytest.mark.parametrize(
    ("field", "headers", "key"),
    [
        ({"sticky": "ada"}, {"X-Caller-Id": "bob"}, "ada"),
        ({}, {"X-Caller-Id": "bob", "Idempotency-Key": "k"}, "bob"),
        ({}, {"Idempotency-Key": "k"}, "k"),
    ],
)
def test_split_is_answered_by_the_version_of_the_key(
    web: FlaskClient,
    gateway: Gateway,
    home: Path,
    field: dict[str, str],
    headers: dict[str, str],
    key: str,
) -> None:
    for alias in map(str, range(10)):  # some of them lead the key to 1, some to 2
        Changes(Registry(home)).set_alias("m", alias, {1: 50, 2: 50})
        web.post("/predict/async", json=BODY | field | {"model": f"m@{alias}"}, headers=headers)
    expected = [
        (str(n), chosen_version("m", str(n), {1: 50, 2: 50}, key.encode())) for n in range(10)
    ]
    assert [(p.alias, p.version) for p, _ in gateway.submitted] == expected
    assert {version for _, version in expected} == {1, 2}


def test_split_without_a_key_is_drawn_for_each_request(
    web: FlaskClient, gateway: Gateway, home: Path
) -> None:
    Changes(Registry(home)).set_alias("m", "production", {1: 50, 2: 50})
    for _ in range(40):
        web.post("/predict/async", json=BODY | {"model": "m@production"})
    assert {prediction.version for prediction, _ in gateway.submitted} == {1, 2}


@pytest.mark.parametrize("sticky", ["", "x" * 256, 7, None])
def test_sticky_key_is_a_short_text(web: FlaskClient, sticky: Any) -> None:
    answer = web.post("/predict/async", json=BODY | {"sticky": sticky})
    assert (answer.status_code, answer.json["errors"][0]["loc"]) == (422, ["sticky"])


def test_idempotency_key_comes_with_a_fingerprint_of_the_payload(
    web: FlaskClient, gateway: Gateway
) -> None:
    for body in (BODY, BODY, {**BODY, "features": [[3.0]]}):
        web.post("/predict/async", json=body, headers={"Idempotency-Key": "k"})
    first, again, other = (key for _, key in gateway.submitted)
    assert first == again != other
    assert first
    assert first.key == "k"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": "nobody", "features": [[1.0]]}, 404, "model_not_found"),
        ({"model": "m", "features": [[1.0, 2.0]]}, 422, "invalid_features"),
        ({"model": "m", "features": [[1.0]] * 4}, 413, "too_large"),
        ({"model": "m", "features": [[1.0]], "method": "fly"}, 422, "unsupported_method"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_invalid_submission_reaches_no_queue(
    web: FlaskClient, gateway: Gateway, body: object, status: int, code: str
) -> None:
    answer = web.post("/predict/async", json=body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert gateway.submitted == []


def test_fallback_answers_for_a_paused_version_but_not_by_number(
    web: FlaskClient, gateway: Gateway
) -> None:
    gateway.paused = {2}
    answer = web.post("/predict/async", json=BODY)
    assert (answer.status_code, answer.json["version"]) == (202, 1)
    refused = web.post("/predict/async", json={**BODY, "model": "m:2"})
    assert (refused.status_code, refused.json["code"]) == (503, "version_paused")


def left_to_the_loop(
    web: FlaskClient, method: str, path: str, **given: Any
) -> list[AwaitedOutcome]:
    """What the views leave to the event loop, in the scope of the request."""
    later: list[AwaitedOutcome] = []
    scope = {ASKED: later, ON_SENT: ExitStack()}
    web.open(path, method=method, environ_overrides={"asgi.scope": scope}, **given)
    return later


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


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget of a single large body."""
    monkeypatch.setattr(byte_budget, "MAX_BYTES_IN_FLIGHT", 0)
    monkeypatch.setattr(byte_budget, "WAIT_TIMEOUT", 0.0)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("max_body_bytes", [3 * UNCOUNTED_BYTES])
@pytest.mark.parametrize("path", ["/predict/async", "/predict"])
def test_bodies_that_are_parsed_at_a_time_are_bounded(
    web: FlaskClient, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    large, accept = json.dumps(BODY) + " " * 2 * UNCOUNTED_BYTES, gateway.submit
    inner: list[Any] = []

    def submit(*submission: Any) -> Record:
        monkeypatch.setattr(gateway, "submit", accept)
        other = web.application.test_client()
        inner.append(other.post(path, data=large, content_type="application/json").json)
        return accept(*submission)

    monkeypatch.setattr(gateway, "submit", submit)
    assert web.post(path, data=large, content_type="application/json").status_code == 202
    assert [answer["code"] for answer in inner] == ["busy"]


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
