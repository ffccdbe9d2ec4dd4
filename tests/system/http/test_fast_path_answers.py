"""The fast path answers as Flask would have answered."""

import json
from typing import Any

import pytest

from tests.support.stack import LiveStack

ROW = [5.1, 3.5, 1.4, 0.2]
PLAIN = {"Content-Type": "application/json"}
BY_FLASK = {**PLAIN, "Content-Encoding": "identity"}
"""A request that names a coding is answered by Flask."""
OWN = {"id", "task_id", "created_at", "expires_at", "urls"}
"""What differs from one prediction to the next."""

BODIES = {
    "a row": {"model": "iris", "features": ROW},
    "rows": {"model": "iris", "features": [ROW, ROW]},
    "by alias": {"model": "iris@production", "features": ROW},
    "a method": {"model": "iris:1", "features": ROW, "method": "predict_proba"},
    "too few columns": {"model": "iris", "features": [1.0]},
    "no such model": {"model": "nowhere", "features": ROW},
    "no such field": {"model": "iris", "features": ROW, "colour": "red"},
    "not an object": [1, 2],
}
HEADERS = {"location", "retry-after", "content-type"}


def told(stack: LiveStack, body: bytes, headers: dict[str, str]) -> tuple[int, Any, set[str]]:
    answer = stack.http.post("/predict/async", content=body, headers=headers)
    document = {k: v for k, v in answer.json().items() if k not in OWN}
    return answer.status_code, document, HEADERS & set(answer.headers)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_fast_path_answers_a_submission_as_flask_does(stack: LiveStack, body: Any) -> None:
    content = json.dumps(body).encode()
    assert told(stack, content, PLAIN) == told(stack, content, BY_FLASK)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"model": "iris"} x'], ids=repr)
def test_fast_path_answers_a_malformed_submission_as_flask_does(
    stack: LiveStack, content: bytes
) -> None:
    assert told(stack, content, PLAIN) == told(stack, content, BY_FLASK)


@pytest.mark.parametrize("task_id", ["nonsense", "a/b", "", "%2F", "ä"])
def test_fast_path_answers_an_unknown_id_as_flask_does(stack: LiveStack, task_id: str) -> None:
    path = f"/predict/result/{task_id}"
    plain, by_flask = stack.http.get(path), stack.http.get(path, headers=BY_FLASK)
    assert (plain.status_code, plain.json()) == (by_flask.status_code, by_flask.json())


def test_fast_path_answers_an_outcome_as_flask_does(stack: LiveStack) -> None:
    task_id = stack.submit("iris", [ROW])["task_id"]
    stack.outcome(task_id)
    path = f"/predict/result/{task_id}"
    plain, by_flask = stack.http.get(path), stack.http.get(path, headers=BY_FLASK)
    assert plain.json() == by_flask.json()
    assert set(by_flask.headers) == set(plain.headers)


def test_fast_path_is_counted_as_the_same_route(stack: LiveStack) -> None:
    def count() -> float:
        text = stack.http.get("/metrics").text
        name = 'predictq_http_requests_total{method="POST",route="/predict/async",status="202"}'
        lines = [line for line in text.splitlines() if line.startswith(name)]
        return float(lines[0].split()[-1]) if lines else 0.0

    before, content = count(), json.dumps(BODIES["a row"]).encode()
    for headers in (PLAIN, BY_FLASK):
        assert told(stack, content, headers)[0] == 202
    assert count() == before + 2
