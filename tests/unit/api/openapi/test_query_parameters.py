"""The OpenAPI document takes query parameters from the structs that the routes read."""

from api.openapi.document import build
from tasks.jobs.job import STATUSES


def parameters(path: str, method: str) -> dict[str, dict[str, object]]:
    """Name → schema of the query parameters of an operation."""
    found = build()["paths"][path][method]["parameters"]
    return {parameter["name"]: parameter["schema"] for parameter in found}


def test_query_of_has_the_bounds_of_each_route() -> None:
    limits = [parameters(path, "get")["limit"] for path in ("/predict/batch", "/dead-letters")]
    assert [limit["maximum"] for limit in limits] == [100, 1000]
    assert [limit["default"] for limit in limits] == [20, 100]


def test_query_of_has_no_null_which_a_query_cannot_say() -> None:
    assert parameters("/dead-letters", "get")["model"] == {"type": "string"}
    assert parameters("/predict/batch", "get")["after"] == {"type": "string"}


def test_query_of_lists_every_status() -> None:
    assert set(parameters("/predict/batch", "get")["status"]["enum"]) == {*STATUSES}
