"""Callers of two tenants on one stack, and keys that see some models."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.support.stack import LiveStack

ROW = [5.8, 2.8, 5.1, 2.4]
BODY = {"model": "iris", "features": ROW}


@pytest.fixture(scope="module")
def callers(stack: LiveStack) -> Iterator[Any]:
    """Makes keys, and clients that present them."""
    made: list[Any] = []

    def client(name: str, **fields: Any) -> httpx2.Client:
        body = {"name": name, "scopes": ["predict", "batch", "models:read"], **fields}
        key = stack.owner.post("/keys", json=body).json()
        headers = {"Authorization": f"Bearer {key['token']}"}
        made.append((key["id"], httpx2.Client(base_url=stack.url, headers=headers, timeout=60)))
        return made[-1][1]

    yield client
    for key_id, http in made:
        http.close()
        assert stack.owner.delete(f"/keys/{key_id}").is_success


@pytest.fixture(scope="module")
def risk(callers: Any) -> httpx2.Client:
    return callers("risk", tenant="risk")


@pytest.fixture(scope="module")
def web(callers: Any) -> httpx2.Client:
    return callers("web", tenant="web")


def test_prediction_of_another_tenant_does_not_exist(
    stack: LiveStack, risk: httpx2.Client, web: httpx2.Client
) -> None:
    ours = risk.post("/predict", json=BODY).json()
    assert (ours["status"], ours["predictions"]) == ("succeeded", [2])
    path = f"/predict/result/{ours['id']}"
    assert risk.get(path).json()["predictions"] == [2]  # the outcome that a worker wrote
    assert ours["receipt"]["tenant"] == "risk"
    assert "tenant" not in stack.http.post("/predict", json=BODY).json()["receipt"]
    assert 'predictions_total{outcome="succeeded",tenant="risk"}' in stack.http.get("/metrics").text
    unknown = web.get("/predict/result/never-given-out").json()
    for other in (web, stack.http, stack.owner):
        assert other.get(path).json() == unknown
        assert other.get(path, headers={"Prefer": "wait=5"}).json() == unknown
        assert other.get(f"{path}?debug=false").json() == unknown
        assert other.delete(path).json() == unknown
        told = other.post("/predict/results", json=[ours["id"]])
        assert '"prediction_not_found"' in told.text
        assert other.get(f"/console/predictions/{ours['id']}").status_code == 404
    assert risk.get(path).json()["status"] == "succeeded"


@pytest.mark.parametrize("path", ["/predict", "/predict/async"])
def test_idempotency_keys_of_tenants_are_apart(
    stack: LiveStack, risk: httpx2.Client, web: httpx2.Client, path: str
) -> None:
    head = {"Idempotency-Key": f"one {path}"}
    ids = [
        http.post(path, json=BODY, headers=head).json()["id"]
        for http in (risk, web, stack.http, risk, web, stack.http)
    ]
    assert len(set(ids)) == 3
    assert ids[:3] == ids[3:]


def test_job_of_another_tenant_does_not_exist(
    stack: LiveStack, risk: httpx2.Client, web: httpx2.Client
) -> None:
    files = {"file": ("in.csv", b"a\n1\n"), "model": (None, "iris")}
    job = risk.post("/predict/batch", files=files).json()
    path = f"/predict/batch/{job['id']}"
    assert risk.get(path).json()["id"] == job["id"]
    assert [each["id"] for each in risk.get("/predict/batch").json()["data"]] == [job["id"]]
    for other in (web, stack.http, stack.owner):
        for method, of in (
            ("GET", ""),
            ("DELETE", ""),
            ("POST", "/resume"),
            ("GET", "/output"),
            ("GET", "/errors"),
            ("GET", "/events"),
        ):
            answer = other.request(method, path + of)
            assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
        assert job["id"] not in other.get("/predict/batch?limit=100").text
    assert risk.delete(path).is_success


def test_key_sees_only_its_models(stack: LiveStack, callers: Any) -> None:
    few = callers("few", models=["iri*"])
    assert few.post("/predict", json=BODY).json()["predictions"] == [2]
    assert [model["name"] for model in few.get("/models").json()["models"]] == ["iris"]
    other = stack.http.post("/predict", json={"model": "diabetes", "features": [0.0] * 10}).json()
    for answer in (
        few.get(f"/predict/result/{other['id']}"),
        few.get("/models/diabetes"),
        few.get("/models/diabetes/versions/1"),
        few.get("/v2/models/diabetes"),
        few.post("/predict", json={"model": "diabetes", "features": []}),
        few.post("/predict/async", json={"model": "diabetes@nothing", "features": [0.0] * 10}),
        few.post("/models/diabetes/predict", json={"features": [0.0] * 10}),
        few.post("/predict/batch", files={"file": ("a.csv", b"a"), "model": (None, "diabetes")}),
    ):
        assert answer.status_code == 404, answer.text
    lines = b'{"model": "diabetes", "features": [0]}\n{"model": "iris", "features": [5,3,5,2]}\n'
    told = few.post(
        "/predict/async", content=lines, headers={"content-type": "application/x-ndjson"}
    ).text.splitlines()
    assert '"model_not_found"' in told[0]
    assert '"queued"' in told[1]


def test_truth_of_another_tenant_is_not_taken(
    stack: LiveStack, risk: httpx2.Client, web: httpx2.Client
) -> None:
    ours = risk.post("/predict", json=BODY).json()["id"]
    path = f"/predict/result/{ours}/label"
    unknown = web.post("/predict/result/never-given-out/label", json={"label": 1})
    for other in (web, stack.http, stack.owner):
        answer = other.post(path, json={"label": 1})
        assert (answer.status_code, answer.json()) == (404, unknown.json())
        (told,) = other.post("/predict/labels", json={"labels": {ours: 1}}).json()["labels"]
        assert (told["counted"], told["code"]) == (False, "prediction_not_found")
    assert risk.post(path, json={"label": 2}).json()["counted"]


def test_lists_leave_out_models_that_a_key_does_not_see(stack: LiveStack, callers: Any) -> None:
    few = callers("lists", models=["iri*"], scopes=["metrics", "models:read", "operate"])
    for model, features in (("iris", ROW), ("diabetes", [0.0] * 10)):
        assert stack.http.post("/predict", json={"model": model, "features": features}).is_success
    for path in ("/stats", "/models/status", "/dead-letters", "/deployments"):
        assert "diabetes" not in few.get(path).text
    assert "diabetes:1" in stack.http.get("/stats").text
    assert {each["model"] for each in few.get("/stats").json()["predictions"]} == {"iris"}
    for path in ("/metrics", "/console", "/console/models", "/console/events"):
        assert few.get(path).status_code == 403


def test_answers_tell_what_is_left_of_the_limits(stack: LiveStack, callers: Any) -> None:
    few = callers("limited", rate="2/h", rows="10/h")
    for path, left in (("/predict/async", 1), ("/predict", 0)):
        answer = few.post(path, json=BODY)
        assert answer.headers["ratelimit-policy"] == '"requests";q=2;w=3600, "rows";q=10;w=3600'
        told = answer.headers["ratelimit"]
        assert told.startswith(f'"requests";r={left};t='), told
        assert f'"rows";r={8 + left};t=' in told
    refused = few.post("/predict/async", json=BODY)
    assert refused.status_code == 429
    assert refused.headers.get_list("ratelimit-policy") == ['"requests";q=2;w=3600']
    assert "ratelimit" not in few.get(f"/predict/result/{answer.json()['id']}").headers
    assert "ratelimit" not in stack.http.post("/predict/async", json=BODY).headers
