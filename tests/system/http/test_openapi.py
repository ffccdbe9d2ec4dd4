"""The OpenAPI document is valid and describes the API."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from tests.support.models import with_models_of
from tests.support.stack import Json, LiveStack, running

pytestmark = pytest.mark.slow


EXPECTED = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, 431, "5xx"]
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 504]
"""
"""Its configuration: a query that is too long in one parameter may be too long as a whole. On a
busy machine a prediction exceeds a generated limit of time, which is 504."""
GENERATING_SECONDS = 400
"""Seconds that requests to all operations may take; two cores with nothing else need 100."""


@pytest.fixture(scope="module")
def fresh(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """A stack of its own, since an answer is compared with the document piece by piece.

    What earlier tests left on a shared one made the answers long.
    """
    home = with_models_of(demo_home, tmp_path_factory.mktemp("openapi"))
    with running(home, bulk=True, forks=True) as stack:
        assert stack.serves()  # generated requests with short limits expire while a model is loaded
        yield stack


@pytest.fixture(scope="module")
def document(fresh: LiveStack) -> Json:
    answer = fresh.http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_document_is_valid_openapi_3_1(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_document_lists_every_route(document: Json) -> None:
    assert {
        (method, path)
        for path, item in document["paths"].items()
        for method in item.keys() - {"parameters"}
    } == {
        ("post", "/predict"),
        ("post", "/predict/async"),
        ("post", "/predict/results"),
        ("get", "/events"),
        ("get", "/predict/result/{id}"),
        ("delete", "/predict/result/{id}"),
        ("post", "/predict/batch"),
        ("get", "/predict/batch"),
        ("post", "/predict/batch/validate"),
        ("get", "/predict/batch/{id}"),
        ("delete", "/predict/batch/{id}"),
        ("post", "/predict/batch/{id}/resume"),
        ("get", "/predict/batch/{id}/output"),
        ("get", "/predict/batch/{id}/errors"),
        ("get", "/predict/batch/{id}/events"),
        ("get", "/models"),
        ("get", "/models/{name}"),
        ("put", "/models/{name}/cache"),
        ("get", "/models/{name}/drift"),
        ("get", "/models/{name}/shadow"),
        ("put", "/models/{name}/shadow"),
        ("delete", "/models/{name}/shadow"),
        ("get", "/models/{name}/shadow/examples"),
        ("get", "/models/status"),
        ("post", "/models/{name}/versions"),
        ("post", "/models/{name}/predict"),
        ("post", "/models/{name}/versions/{version}/predict"),
        ("post", "/models/{name}/load"),
        ("post", "/models/{name}/batch_predict"),
        ("post", "/upload_model"),
        ("post", "/deploy"),
        ("post", "/stop_deployment/{id}"),
        ("delete", "/delete_model/{id}"),
        ("delete", "/models/{name}"),
        ("get", "/models/{name}/history"),
        ("post", "/predict/result/{id}/label"),
        ("post", "/predict/labels"),
        ("get", "/models/{name}/versions/{version}/quality"),
        ("get", "/models/{name}/comparison"),
        ("get", "/models/{name}/rollouts"),
        ("post", "/models/{name}/rollouts"),
        ("get", "/models/{name}/rollouts/{id}"),
        ("post", "/models/{name}/rollouts/{id}/pause"),
        ("post", "/models/{name}/rollouts/{id}/resume"),
        ("post", "/models/{name}/rollouts/{id}/abort"),
        ("get", "/deployments"),
        ("get", "/models/{name}/deployments"),
        ("post", "/models/{name}/deployments"),
        ("post", "/models/{name}/deploy"),
        ("get", "/models/{name}/deployments/{environment}"),
        ("patch", "/models/{name}/deployments/{environment}"),
        ("delete", "/models/{name}/deployments/{environment}"),
        ("post", "/models/{name}/deployments/{environment}/stop"),
        ("post", "/models/{name}/deployments/{environment}/start"),
        ("get", "/audit"),
        ("get", "/keys"),
        ("post", "/keys"),
        ("get", "/keys/{id}"),
        ("delete", "/keys/{id}"),
        ("post", "/keys/{id}/rotate"),
        ("put", "/models/{name}/aliases/{alias}"),
        ("delete", "/models/{name}/aliases/{alias}"),
        ("post", "/models/{name}/rollback"),
        ("post", "/models/{name}/keep-latest"),
        ("get", "/models/{name}/versions/{version}"),
        ("delete", "/models/{name}/versions/{version}"),
        ("get", "/models/{name}/versions/{version}/artifact"),
        ("get", "/models/{name}/versions/{version}/sample"),
        ("post", "/models/{name}/versions/{version}/pause"),
        ("post", "/models/{name}/versions/{version}/resume"),
        ("post", "/models/{name}/versions/{version}/load"),
        ("post", "/models/{name}/versions/{version}/unload"),
        ("get", "/v2"),
        ("get", "/v2/health/live"),
        ("get", "/v2/health/ready"),
        *(
            (method, f"/v2/models/{{name}}{version}{what}")
            for version in ("", "/versions/{version}")
            for method, what in (("get", ""), ("get", "/ready"), ("post", "/infer"))
        ),
        ("post", "/v2/repository/index"),
        ("post", "/v2/repository/models/{name}/load"),
        ("post", "/v2/repository/models/{name}/unload"),
        ("get", "/dead-letters"),
        ("delete", "/dead-letters"),
        ("post", "/dead-letters/replay"),
        ("get", "/dead-letters/{id}"),
        ("delete", "/dead-letters/{id}"),
        ("post", "/dead-letters/{id}/replay"),
        ("get", "/health"),
        ("get", "/ready"),
        ("get", "/metrics"),
        ("get", "/stats"),
        ("get", "/scale"),
    }


@pytest.mark.parametrize("path", ["/predict", "/predict/async"])
def test_examples_of_the_document_work(fresh: LiveStack, document: Json, path: str) -> None:
    body = document["paths"][path]["post"]["requestBody"]
    for example in body["content"]["application/json"]["examples"].values():
        assert fresh.http.post(path, json=example["value"]).is_success


@pytest.mark.timeout(GENERATING_SECONDS + 30)
def test_answers_to_generated_requests_are_described(fresh: LiveStack, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(EXPECTED)
    told = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "run", f"{fresh.url}/openapi.json"),
            *("--checks", "all", "--max-examples", "6", "--seed", "1"),
            *("--request-timeout", "30", "--no-color", "--generation-database", "none"),
            # The signature of a model restricts features, not this document: a 422 is legitimate.
            # DELETE cancels: the prediction stays readable as cancelled.
            *("--exclude-checks", "positive_data_acceptance,use_after_free"),
        ],
        cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=GENERATING_SECONDS,
        check=False,
    )
    assert told.returncode == 0, told.stdout[-8000:] + told.stderr[-2000:]
    assert fresh.serves()
