"""A request that waits is answered on the event loop as it is answered through Flask.

Flask accepts a request whose head says something unusual, and shares only the functions that make
answers. So both ways are asked here, and compared byte by byte but for ids and times.
"""

import json
import re
from typing import Any

import pytest

from tests.support.stack import LiveStack

ROW = [5.1, 3.5, 1.4, 0.2]
PLAIN = {"Content-Type": "application/json"}
BY_FLASK = {"Content-Encoding": "identity"}
OWN = re.compile(
    rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.+]+|"
    rb'"(queue|compute)_ms":[\d.e-]+|"batch_size":\d+'
)
"""What differs from one prediction to the next."""
UNLIKE = {"date", "content-length"}

BODIES: dict[str, Any] = {
    "a row": {"model": "iris", "features": ROW},
    "rows": {"model": "iris", "features": [ROW, ROW]},
    "by alias": {"model": "iris@production", "features": ROW},
    "a method": {"model": "iris:1", "features": ROW, "method": "predict_proba"},
    "limits": {"model": "iris", "features": ROW, "timeout_seconds": 9, "max_queue_seconds": 9},
    "too few columns": {"model": "iris", "features": [1.0]},
    "no such model": {"model": "nowhere", "features": ROW},
    "no such version": {"model": "iris:77", "features": ROW},
    "no such alias": {"model": "iris@nowhere", "features": ROW},
    "no such method": {"model": "iris", "features": ROW, "method": "fly"},
    "no such field": {"model": "iris", "features": ROW, "colour": "red"},
    "no rows": {"model": "iris", "features": []},
    "a limit of nothing": {"model": "iris", "features": ROW, "timeout_seconds": 0},
    "not an object": [1, 2],
}
MALFORMED = [b"", b"{", b"\xff", b'{"model": "iris"} x', b"[" * 100_000]
HEADS: dict[str, dict[str, str]] = {
    "nothing preferred": {},
    "a short wait": {"Prefer": "wait=20"},
    "no wait": {"Prefer": "wait=0"},
    "respond-async": {"Prefer": "respond-async"},
    "both": {"Prefer": "respond-async, wait=20"},
    "nonsense": {"Prefer": "wait=soon; a, ,;=, wait"},
    "an empty key": {"Idempotency-Key": ""},
    "a long key": {"Idempotency-Key": "k" * 256},
    "a charset": {"Content-Type": "application/json; charset=utf-8"},
    "another type": {"Content-Type": "text/plain"},
    "two types": {"Content-Type": "application/json, application/json"},
}


def told(
    stack: LiveStack, content: bytes, headers: dict[str, str], path: str = "/predict"
) -> tuple[int, bytes, dict[str, bytes]]:
    answer = stack.http.post(path, content=content, headers={**PLAIN, **headers})
    head = {
        name: OWN.sub(b"", value.encode())
        for name, value in answer.headers.items()
        if name not in UNLIKE
    }
    return answer.status_code, OWN.sub(b"", answer.content), head


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_waiting_path_answers_a_submission_as_flask_does(stack: LiveStack, body: Any) -> None:
    content = json.dumps(body).encode()
    assert told(stack, content, {}) == told(stack, content, BY_FLASK)


@pytest.mark.parametrize("content", MALFORMED, ids=lambda content: repr(content[:20]))
def test_waiting_path_answers_a_malformed_submission_as_flask_does(
    stack: LiveStack, content: bytes
) -> None:
    assert told(stack, content, {}) == told(stack, content, BY_FLASK)


@pytest.mark.parametrize("path", ["/predict", "/predict/async"])
@pytest.mark.parametrize("headers", HEADS.values(), ids=HEADS)
def test_waiting_path_reads_a_head_as_flask_does(
    stack: LiveStack, headers: dict[str, str], path: str
) -> None:
    content = json.dumps(BODIES["a row"]).encode()
    ours = told(stack, content, headers, path)
    assert ours == told(stack, content, {**headers, **BY_FLASK}, path)


@pytest.mark.parametrize(
    "query", ["", "?debug=true", "?debug=maybe", "?colour=red", "?debug=0&debug=1"]
)
def test_waiting_path_reads_a_query_as_flask_does(stack: LiveStack, query: str) -> None:
    content, path = json.dumps(BODIES["a row"]).encode(), f"/predict{query}"
    assert told(stack, content, {}, path) == told(stack, content, BY_FLASK, path)


def test_waiting_path_knows_an_idempotency_key_as_flask_does(stack: LiveStack) -> None:
    content = json.dumps(BODIES["a row"]).encode()
    other = json.dumps(BODIES["rows"]).encode()
    key = {"Idempotency-Key": "waiting-twice"}
    first = told(stack, content, key)
    assert first[0] == 200
    assert told(stack, content, key) == first
    assert told(stack, content, {**key, **BY_FLASK}) == first
    conflict = told(stack, other, key)
    assert conflict[0] == 422
    assert conflict == told(stack, other, {**key, **BY_FLASK})


@pytest.mark.parametrize("task_id", ["nonsense", "a/b", "", "%2F", "ä", "%00"])
def test_waiting_path_looks_up_an_unknown_id_as_flask_does(stack: LiveStack, task_id: str) -> None:
    path, waiting = f"/predict/result/{task_id}", {"Prefer": "wait=5"}
    ours = stack.http.get(path, headers=waiting)
    by_flask = stack.http.get(path, headers={**waiting, **BY_FLASK})
    assert (ours.status_code, ours.content) == (by_flask.status_code, by_flask.content)


def test_waiting_path_looks_up_an_outcome_as_flask_does(stack: LiveStack) -> None:
    path = f"/predict/result/{stack.submit('iris', [ROW])['id']}"
    ours = stack.http.get(path, headers={"Prefer": "wait=20"})
    by_flask = stack.http.get(path, headers={"Prefer": "wait=20", **BY_FLASK})
    assert (ours.status_code, ours.content) == (200, by_flask.content)
    assert {**ours.headers, "date": ""} == {**by_flask.headers, "date": ""}


@pytest.mark.parametrize("head", [{}, BY_FLASK], ids=["plain", "flask"])
def test_waiting_path_is_counted_once(stack: LiveStack, head: dict[str, str]) -> None:
    def count() -> float:
        name = 'predictq_http_requests_total{method="POST",route="/predict",status="'
        lines = stack.http.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    before = count()
    assert told(stack, json.dumps(BODIES["a row"]).encode(), head)[0] == 200
    assert count() == before + 1
