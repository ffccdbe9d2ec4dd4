"""The read-only registry over HTTP."""

import re
from datetime import datetime

import pytest

from tests.support.stack import LiveStack

VERSION = {
    "status",
    "reason",
    "version",
    "sha256",
    "size",
    "format",
    "estimator",
    "parameters",
    "libraries",
    "environment",
    "signature",
    "metadata",
    "example",
    "created_at",
    "max_queue_seconds",
    "timeout_seconds",
}


def test_list_of_models(stack: LiveStack) -> None:
    expected = [
        {"name": name, "latest": 1, "versions": [1], "aliases": {"production": 1}, "cache": False}
        for name in ("breast-cancer", "diabetes", "iris")
    ]
    models = stack.http.get("/models").json()["models"]
    assert sorted(models, key=lambda model: model["name"]) == expected


def test_model_and_its_versions(stack: LiveStack) -> None:
    model = stack.http.get("/models/iris").json()
    (version,) = model["details"]
    assert (model["name"], model["latest"], model["aliases"]) == ("iris", 1, {"production": 1})
    assert set(version) == VERSION
    assert (version["status"], version["reason"]) == ("ready", "")
    assert re.fullmatch("[0-9a-f]{64}", version["sha256"])
    assert "scikit-learn" in version["libraries"]
    assert float(version["metadata"]["accuracy"]) > 0.9
    assert datetime.fromisoformat(version["created_at"]).tzinfo is not None


@pytest.mark.parametrize(
    ("name", "columns", "nullable"),
    [("iris", 4, False), ("breast-cancer", 30, True), ("diabetes", 10, True)],
)
def test_signature_says_what_the_model_takes(
    stack: LiveStack, name: str, columns: int, nullable: bool
) -> None:
    signature = stack.http.get(f"/models/{name}").json()["details"][0]["signature"]
    assert len(signature["columns"]) == columns
    assert {column.get("nullable", False) for column in signature["columns"]} == {nullable}


@pytest.mark.parametrize("name", ["iris", "breast-cancer", "diabetes"])
def test_example_of_a_version_works(stack: LiveStack, name: str) -> None:
    example = stack.http.get(f"/models/{name}").json()["details"][0]["example"]
    assert len(stack.predict(name, example)) == 1


def test_unknown_model_is_404(stack: LiveStack) -> None:
    answer = stack.http.get("/models/nobody")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "model_not_found"


@pytest.mark.parametrize("name", ["..", ".hidden", "a b", "ü", "x" * 300, "iris:1"])
def test_impossible_name_is_refused(stack: LiveStack, name: str) -> None:
    answer = stack.http.get("/models/" + name.replace("..", "%2e%2e"))
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
