"""Many predictions in one request: NDJSON or one JSON document in, ids and outcomes out."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest

from tests.support.stack import Json, LiveStack, until

NDJSON = {"Content-Type": "application/x-ndjson"}
ROWS = [[5.1, 3.5, 1.4, 0.2], [5.8, 2.8, 5.1, 2.4]]
"""Of classes 0 and 2."""
HEAD = (
    b"POST /predict/async?model=iris HTTP/1.1\r\n"
    b"Host: localhost\r\nContent-Type: application/x-ndjson\r\n"
)


def ndjson(count: int) -> bytes:
    """A body of lines, alternating between the rows."""
    lines = [json.dumps({"features": row}).encode() + b"\n" for row in ROWS]
    return b"".join(lines[index % 2] for index in range(count))


def submit(
    stack: LiveStack, body: Any, query: str = "model=iris", **headers: str
) -> httpx2.Response:
    path = f"/predict/async?{query}" if query else "/predict/async"
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return stack.http.post(path, content=body, headers={**NDJSON, **headers})


def lines(answer: httpx2.Response) -> list[Json]:
    assert answer.headers["content-type"] == NDJSON["Content-Type"], answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def outcomes(stack: LiveStack, ids: list[str], wait: int = 30) -> list[Json]:
    answer = stack.http.post("/predict/results", json=ids, headers={"Prefer": f"wait={wait}"})
    assert answer.status_code == 200, answer.text
    assert answer.headers.get("preference-applied") == f"wait={wait}"
    return lines(answer)


def test_bulk_request_is_answered_line_by_line(stack: LiveStack) -> None:
    answer = submit(stack, ndjson(1000), "model=iris@production&method=predict")
    assert answer.status_code == 202
    accepted = lines(answer)
    assert {frozenset(line) for line in accepted} == {frozenset(("id", "status"))}
    assert {line["status"] for line in accepted} == {"queued"}
    ids = [line["id"] for line in accepted]
    assert len({*ids}) == 1000

    found = outcomes(stack, ids)
    assert [each["id"] for each in found] == ids
    assert [each for each in found if each["status"] != "succeeded"] == []
    assert [each["predictions"] for each in found] == [[0], [2]] * 500
    assert {each["receipt"]["alias"] for each in found} == {"production"}
    assert found[0] == stack.http.get(f"/predict/result/{ids[0]}").json()


def test_bulk_request_may_be_one_document(stack: LiveStack) -> None:
    document = {"model": "iris", "requests": [{"features": row} for row in ROWS]}
    answer = stack.http.post("/predict/async", json=document)
    assert answer.status_code == 202
    found = outcomes(stack, [line["id"] for line in lines(answer)])
    assert [each["predictions"] for each in found] == [[0], [2]]


def test_one_bad_line_among_ten_thousand_is_refused_alone(stack: LiveStack) -> None:
    body = ndjson(10_000).split(b"\n")
    body[7_000] = b'{"features": [1, 2]}'
    answer = submit(stack, b"\n".join(body))
    assert answer.status_code == 202
    answered = lines(answer)
    assert len(answered) == 10_000
    refused = answered.pop(7_000)
    assert (refused["code"], refused["line"]) == ("invalid_features", 7_001)
    assert "id" not in refused
    ids = [line["id"] for line in answered]
    assert len({*ids}) == 9_999
    found = outcomes(stack, ids)
    assert all(each["status"] == "succeeded" for each in found)
    assert [each["predictions"][0] for each in found] == [0, 2] * 3_500 + [2] + [0, 2] * 1_499


def test_lines_that_are_equal_are_predictions_of_their_own(stack: LiveStack) -> None:
    line = json.dumps({"model": "iris", "features": ROWS[0]}).encode()
    answer = submit(stack, b"\n".join([line] * 300), "", Idempotency_Key="twins")
    assert len({each["id"] for each in lines(answer)}) == 300


def test_bulk_request_that_is_repeated_has_the_same_ids(stack: LiveStack) -> None:
    first = lines(submit(stack, ndjson(300), Idempotency_Key="again"))
    outcomes(stack, [line["id"] for line in first])
    again = lines(submit(stack, ndjson(301), Idempotency_Key="again"))
    assert [line["id"] for line in again[:300]] == [line["id"] for line in first]
    assert {line["status"] for line in again[:300]} == {"succeeded"}
    assert again[300]["status"] == "queued"
    other = lines(submit(stack, ndjson(1) + ndjson(1), Idempotency_Key="again"))
    assert "id" in other[0]
    assert other[1]["code"] == "idempotency_conflict"


def test_bulk_request_of_bad_lines_alone_is_a_problem(stack: LiveStack) -> None:
    answer = submit(stack, b'{"features": [1]}\nnot json\n')
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["line"] == 1
    assert submit(stack, b"").status_code == 400
    assert submit(stack, ndjson(1), "model=unknown").status_code == 404
    assert submit(stack, ndjson(1), "models=iris").status_code == 422
    assert submit(stack, ndjson(1), Content_Encoding="gzip").status_code == 415
    assert submit(stack, ndjson(1), Idempotency_Key="x" * 256).status_code == 422


def test_lines_of_a_live_body_are_answered_before_it_ends(stack: LiveStack) -> None:
    """A sender may submit as events come, in one request."""
    address = urlsplit(stack.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.settimeout(30)
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        received = b""
        for count in (1, 2):
            line = ndjson(1)
            connection.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            while received.count(b'"status":"queued"') < count:
                received += connection.recv(65536)
        assert b" 202 " in received.partition(b"\r\n")[0]
        connection.sendall(b"0\r\n\r\n")
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(65536)


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
def test_body_that_is_cut_keeps_what_was_accepted(stack: LiveStack, announced: bool) -> None:
    """With its key, the caller gets the ids of what was accepted, and submits the rest."""
    key, body = uuid4().hex, ndjson(600)
    cut = len(body) * 3 // 4
    address = urlsplit(stack.url)
    head = HEAD + b"Idempotency-Key: " + key.encode() + b"\r\n"
    before = _computed(stack)
    with socket.create_connection((address.hostname, address.port)) as connection:
        if announced:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body[:cut])
        else:
            piece = b"%x\r\n%s\r\n" % (cut, body[:cut])
            connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + piece)
        until(lambda: _succeeded(stack) >= before + 256, "a window is computed")
    answered = lines(submit(stack, body, Idempotency_Key=key))
    ids = [line["id"] for line in answered]
    assert len({*ids}) == 600
    found = outcomes(stack, ids)
    assert [each["predictions"] for each in found] == [[0], [2]] * 300
    assert _computed(stack) == before + 600, "each line is computed once"


def _computed(stack: LiveStack) -> int:
    """Predictions of iris that have been computed, once none waits any more."""
    until(lambda: _is_idle(stack), "what earlier requests submitted is computed")
    return _succeeded(stack)


def _stats(stack: LiveStack) -> Json:
    # While thousands of lines are accepted, Redis may answer late: then there is a problem.
    return until(lambda: (told := stack.http.get("/stats")).is_success and told.json(), "stats")


def _is_idle(stack: LiveStack) -> bool:
    answer = _stats(stack)
    return not any((answer["reserved"], *answer["queues"].values()))


def _succeeded(stack: LiveStack) -> int:
    return sum(v["succeeded"] for v in _stats(stack)["predictions"] if v["model"] == "iris")


def test_client_that_does_not_read_loses_nothing(stack: LiveStack) -> None:
    """It sends all lines first, and closes without reading: the key leads to all ids."""
    key, body, before = uuid4().hex, ndjson(10_000), _computed(stack)
    address = urlsplit(stack.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = HEAD + b"Idempotency-Key: " + key.encode() + b"\r\n"
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        until(lambda: _succeeded(stack) >= before + 10_000, "all are computed", 90)
    answered = lines(submit(stack, body, Idempotency_Key=key))
    assert {line["status"] for line in answered} == {"succeeded"}
    assert _computed(stack) == before + 10_000


@pytest.fixture
def held(stack: LiveStack) -> Iterator[LiveStack]:
    with stack.frozen_pool():
        yield stack


def test_results_that_are_not_there_in_time_are_told_as_they_are(held: LiveStack) -> None:
    (accepted,) = lines(submit(held, ndjson(1)))
    (found,) = outcomes(held, [accepted["id"]], wait=1)
    assert found["status"] in ("queued", "running")


def test_results_take_the_answer_of_a_bulk_request_as_it_came(stack: LiveStack) -> None:
    answer = submit(stack, ndjson(2))
    found = stack.http.post(
        "/predict/results", content=answer.content, headers={**NDJSON, "Prefer": "wait=30"}
    )
    assert [each["predictions"] for each in lines(found)] == [[0], [2]]


def test_results_of_unknown_ids_are_problems_of_their_own(stack: LiveStack) -> None:
    (accepted,) = lines(submit(stack, ndjson(1)))
    first, second = outcomes(stack, ["unknown", accepted["id"]])
    assert (first["id"], first["code"], first["status"]) == ("unknown", "prediction_not_found", 404)
    assert second["status"] == "succeeded"


def test_results_refuse_what_is_no_list_of_ids(stack: LiveStack) -> None:
    for body, status in [({}, 422), ([], 422), ([1], 422), (["x"] * 10_001, 413)]:
        assert stack.http.post("/predict/results", json=body).status_code == status
    assert stack.http.post("/predict/results", content=b"x").status_code == 415
    assert stack.http.post("/predict/results", content=b"x", headers=NDJSON).status_code == 400
    refused = stack.http.get("/predict/results")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
