"""The routes that submit predictions: what is accepted, and by which version it is answered."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.limits import byte_budget
from api.limits.byte_budget import UNCOUNTED_BYTES
from registry.changes import Changes
from registry.splits import chosen_version
from registry.store import Registry
from tasks.record import Record
from tests.support.models import described
from tests.unit.api.predictions.routes_harness import BODY, Gateway


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


def test_submission_has_a_priority(web: FlaskClient, gateway: Gateway) -> None:
    for body in BODY, BODY | {"priority": "high"}, BODY | {"priority": "low"}:
        assert web.post("/predict/async", json=body).status_code == 202
    submitted = [prediction.priority for prediction, _ in gateway.submitted]
    assert submitted == ["normal", "high", "low"]
    answer = web.post("/predict/async", json=BODY | {"priority": "urgent"})
    assert (answer.status_code, answer.json["errors"][0]["loc"]) == (422, ["priority"])


def test_fallback_that_is_split_gives_the_version_of_the_key(
    web: FlaskClient, gateway: Gateway, home: Path
) -> None:
    registry = Registry(home)
    registry.add("m", described(b"three"), b"three")
    Changes(registry).set_alias("m", "fallback", {1: 50, 2: 50})
    keys = [f"caller {i}" for i in range(20)]
    wanted = [chosen_version("m", "fallback", {1: 50, 2: 50}, key.encode()) for key in keys]
    assert {*wanted} == {1, 2}
    gateway.paused = {3}
    for key in keys:
        web.post("/predict/async", json={**BODY, "sticky": key})
    assert [prediction.version for prediction, _ in gateway.submitted] == wanted
    gateway.paused = {2, 3}
    told = [web.post("/predict/async", json={**BODY, "sticky": key}).status_code for key in keys]
    assert told == [202 if version == 1 else 503 for version in wanted]


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
