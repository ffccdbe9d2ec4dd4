"""`submit_many`, `map` and `as_completed`, against a server that acts out the contract."""

import json
from collections.abc import Callable

import pandas as pd
import pytest

from predictq import BulkError, InvalidRequest, PredictionFailed, Unavailable, WaitTimeout
from predictq.bulk import lines, mapping
from tests.unit.fake_server import DROP, Answer, outcome, pending, problem, succeeded

NDJSON = "application/x-ndjson"
FULL = {"title": "x", "detail": "that is full", "code": "queue_full", "retryable": True}
BAD = {"title": "x", "detail": "that is bad", "code": "invalid_features", "retryable": False}


def told(*bodies, status=202) -> Answer:
    text = "".join(json.dumps(body) + "\n" for body in bodies)
    return Answer(status, text.encode(), content_type=NDJSON)


def accepted(*ids) -> Answer:
    return told(*({"id": task_id, "status": "queued"} for task_id in ids))


def refused(line, problem, status) -> dict:
    return {**problem, "line": line, "status": status, "errors": []}


def serving(result: Callable) -> Callable:
    """A server that accepts each row under an id of its values, and answers with ``result``."""

    def behave(asked) -> Answer:
        if asked.path.startswith("/predict/async"):
            return accepted(*("-".join(map(str, line["features"])) for line in asked.body))
        return told(*(result(task_id) for task_id in asked.body), status=200)

    return behave


def doubled(task_id: str) -> dict:
    return succeeded([2 * float(task_id)], task_id).body


@pytest.fixture
def client(client, server, monkeypatch):
    monkeypatch.setattr(mapping, "WINDOW_ROWS", 2)
    monkeypatch.setattr(mapping, "GROUP_ROWS", 2)
    return client


def test_submit_many_sends_a_line_for_each_row(server, client):
    server.script(accepted("a", "b"), accepted("c"))
    rows = pd.DataFrame({"x": [1.5, None, 2.0], "y": ["p", "q", "r"]})

    ids = client.submit_many("m@live", rows, timeout_seconds=2, idempotency_key="k")

    assert ids == ["a", "b", "c"]
    first, second = server.asked
    assert first.path == "/predict/async?model=m%40live&method=predict&timeout_seconds=2"
    assert first.body == [{"features": {"x": 1.5, "y": "p"}}, {"features": {"x": None, "y": "q"}}]
    assert first.headers["Content-Type"] == NDJSON
    assert [asked.headers["Idempotency-Key"] for asked in (first, second)] == ["k-0", "k-1"]


def test_submit_many_sends_single_values_as_rows(server, client):
    server.script(accepted("a", "b"))
    client.submit_many("m", ["good film", "bad film"])
    assert server.asked[0].body == [{"features": ["good film"]}, {"features": ["bad film"]}]


def test_submit_many_repeats_with_the_same_key_until_lines_are_accepted(server, client, clock):
    full = refused(2, FULL, 503) | {"retry_after": 7}
    server.script(
        DROP,
        problem(503, "busy", Retry_After="1", retryable=True),
        told({"id": "a", "status": "queued"}, full),
        accepted("a", "b"),
    )

    assert client.submit_many("m", [[1], [2]]) == ["a", "b"]
    assert len({asked.headers["Idempotency-Key"] for asked in server.asked}) == 1
    assert clock.slept[-1] == 7


def test_submit_many_repeats_an_answer_that_ended_early(server, client):
    server.script(told({"id": "a", "status": "queued"}, refused(2, FULL, 503)), accepted("a", "b"))
    assert client.submit_many("m", [[1], [2]]) == ["a", "b"]


def test_submit_many_says_which_rows_were_refused(server, client):
    server.script(told(refused(1, BAD, 422), {"id": "b", "status": "queued"}), accepted("c"))

    with pytest.raises(BulkError) as raised:
        client.submit_many("m", [[1], [2], [3]])

    assert raised.value.ids == [None, "b", "c"]
    assert {row: error.code for row, error in raised.value.errors.items()} == {
        0: "invalid_features"
    }
    assert not raised.value.retryable
    assert str(raised.value) == "1 of 3 rows were refused; row 1: that is bad"


def test_submit_many_of_refused_rows_alone_names_the_first(server, client):
    body = refused(1, BAD, 422)
    server.script(Answer(422, body, content_type="application/problem+json"))
    with pytest.raises(BulkError, match="row 1: that is bad"):
        client.submit_many("m", [[1]])


def test_submit_many_raises_a_refusal_of_the_request(server, client):
    server.script(problem(422, "invalid"))
    with pytest.raises(InvalidRequest):
        client.submit_many("m", [[1]])
    server.behave = lambda _: problem(503, "busy", Retry_After="1", retryable=True)
    with pytest.raises(Unavailable):
        client.submit_many("m", [[1]])


def test_submit_many_names_the_row_that_cannot_be_sent(client):
    with pytest.raises(InvalidRequest, match="row 2, column 'x': a value of type bytes"):
        client.submit_many("m", [{"x": 1}, {"x": b"2"}])


def test_groups_of_lines_are_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(lines, "MAX_GROUP_BYTES", 10)
    assert list(lines.line_groups(iter([b"12345", b"12345", b"1"]), 5)) == [[b"12345"] * 2, [b"1"]]


def test_map_yields_predictions_in_the_order_of_rows(server, client):
    server.behave = serving(doubled)
    done = []
    found = client.map("m", ([row] for row in range(7)), progress=done.append)
    assert [each.predictions for each in found] == [[2.0 * row] for row in range(7)]
    assert done == [2, 4, 6, 7]


def test_map_reads_rows_only_as_windows_are_done(server, client):
    server.behave = serving(doubled)
    read = []
    rows = (read.append(row) or [row] for row in range(100))
    found = client.map("m", rows)
    next(found)
    assert len(read) <= mapping.WINDOWS * 2 + 1


@pytest.mark.parametrize("ordered", [True, False])
def test_map_raises_or_yields_errors(server, client, ordered):
    failed = {"code": "model_error", "message": "no", "retryable": False}

    def result(task_id: str) -> dict:
        return outcome("failed", task_id, error=failed).body if task_id == "1" else doubled(task_id)

    server.behave = serving(result)
    found = list(client.map("m", [[0], [1], [2]], ordered=ordered, return_exceptions=True))
    assert [isinstance(each, PredictionFailed) for each in found] == [False, True, False]
    with pytest.raises(PredictionFailed):
        list(client.map("m", [[0], [1], [2]], ordered=ordered))


def test_map_waits_for_what_is_pending(server, client):
    looks = []

    def result(task_id: str) -> dict:
        looks.append(task_id)
        away = {**FULL, "code": "unavailable", "id": task_id, "status": 503, "errors": []}
        return [pending(task_id).body, away, doubled(task_id)][min(len(looks), 3) - 1]

    server.behave = serving(result)
    (found,) = client.map("m", [[3]])
    assert found.predictions == [6.0]
    assert server.asked[-1].headers["Prefer"] == "wait=30"


def test_map_stops_waiting_in_time(server, client):
    server.behave = serving(lambda task_id: pending(task_id).body)
    with pytest.raises(WaitTimeout) as raised:
        list(client.map("m", [[3]], timeout=60))
    assert raised.value.id == "3"


def test_as_completed_yields_what_has_its_outcome(server, client):
    rounds = []

    def result(task_id: str) -> dict:
        rounds.append(task_id)
        is_done = task_id == "2" or len(rounds) > 2
        return doubled(task_id) if is_done else pending(task_id).body

    server.behave = serving(result)
    found = list(client.as_completed(["1", "2"]))
    assert [(each.id, each.result().predictions) for each in found] == [("2", [4.0]), ("1", [2.0])]


def test_as_completed_stops_in_time(server, client):
    server.behave = serving(lambda task_id: pending(task_id).body)
    with pytest.raises(WaitTimeout):
        list(client.as_completed(["1"], timeout=5))
