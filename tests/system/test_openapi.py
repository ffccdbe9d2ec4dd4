"""The OpenAPI document is valid, and the API is what it says."""

import hypothesis
import pytest
import schemathesis
from openapi_spec_validator import validate
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.stack import Json, LiveStack


@pytest.fixture(scope="module")
def document(stack: LiveStack) -> Json:
    answer = stack.http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_it_is_valid_openapi_3_1(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_it_lists_every_route(document: Json) -> None:
    assert {
        (method, path)
        for path, item in document["paths"].items()
        for method in item.keys() - {"parameters"}
    } == {
        ("post", "/predict"),
        ("post", "/predict/async"),
        ("get", "/predict/result/{id}"),
        ("delete", "/predict/result/{id}"),
        ("get", "/models"),
        ("get", "/models/{name}"),
        ("get", "/health"),
        ("get", "/ready"),
        ("get", "/metrics"),
        ("get", "/stats"),
    }


def test_its_example_works(stack: LiveStack, document: Json) -> None:
    body = document["paths"]["/predict"]["post"]["requestBody"]
    example = body["content"]["application/json"]["example"]
    assert stack.http.post("/predict", json=example).status_code == 200


@pytest.fixture(scope="module")
def described(stack: LiveStack) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{stack.url}/openapi.json")


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@hypothesis.settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_whatever_is_sent_the_answer_is_one_that_is_described(case: schemathesis.Case) -> None:
    # Which features a model takes is said by its signature, not by this document: 422 is no lie.
    case.call_and_validate(excluded_checks=[positive_data_acceptance], timeout=30)


def test_every_check_of_schemathesis_is_on() -> None:
    """A check that is renamed or gone must not go unseen."""
    assert "not_a_server_error" in {check.__name__ for check in CHECKS.get_all()}
