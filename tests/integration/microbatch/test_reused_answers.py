"""Answers that are reused, over HTTP and through every way in."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import redis

from registry.changes import Changes
from registry.store import Registry
from tasks.ledger import keys
from tests.support.stack import LiveStack, until

FRESH = iter(range(1, 10**6))


def row() -> list[float]:
    """A row that no test had before."""
    return [next(FRESH) + 0.5, 0.0]


def computed(stack: LiveStack, value: float) -> int:
    """How often the model was asked for a value."""
    return (Path(stack.home) / "diary").read_text().split("\n").count(str(value))


def arrow(rows: list[list[float]]) -> bytes:
    table = pa.table({f"x{i}": [r[i] for r in rows] for i in range(2)})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def post(stack: LiveStack, path: str, body: Any, **more: Any) -> Any:
    return stack.http.post(path, json=body, **more)


def test_repeated_request_is_a_prediction_of_its_own_with_the_same_answer(unruly) -> None:
    given = row()
    body = {"model": "touchy", "features": given, "cache": True}
    first, second = (post(unruly, "/predict", body) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    one, two = first.json(), second.json()
    assert one["id"] != two["id"]
    assert one["predictions"] == two["predictions"] == [2 * given[0]]
    assert "cached" not in one["receipt"]
    assert two["receipt"]["cached"] is True
    assert two["receipt"]["queue_ms"] == 0
    assert computed(unruly, given[0]) == 1
    assert unruly.http.get(f"/predict/result/{two['id']}").json() == two

    at_once = post(unruly, "/predict/async", body)
    assert (at_once.status_code, at_once.json()["status"]) == (200, "succeeded")
    assert computed(unruly, given[0]) == 1
    assert post(unruly, "/predict", body | {"cache": False}).json()["receipt"].get("cached") is None
    assert computed(unruly, given[0]) == 2


def test_every_way_in_reuses_the_answer(unruly: LiveStack) -> None:
    given = row()
    post(unruly, "/predict", {"model": "touchy", "features": given, "cache": True})
    line = json.dumps({"features": given}) + "\n"
    query = "?model=touchy&cache=true"
    bulk = unruly.http.post(
        f"/predict/async{query}",
        content=line * 2,
        headers={"content-type": "application/x-ndjson"},
    )
    statuses = [json.loads(each)["status"] for each in bulk.text.splitlines()]
    assert statuses == ["succeeded"] * 2
    document = {"model": "touchy", "cache": True, "requests": [{"features": given}]}
    assert json.loads(post(unruly, "/predict/async", document).text)["status"] == "succeeded"
    in_path = post(unruly, "/models/touchy/predict", {"features": given, "cache": True})
    assert in_path.json()["receipt"]["cached"] is True
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": given}
    inferred = post(
        unruly, "/v2/models/touchy/infer", {"inputs": [tensor], "parameters": {"cache": True}}
    )
    assert inferred.json()["outputs"][0]["data"] == [2 * given[0]]
    assert computed(unruly, given[0]) == 1


def test_arrow_stream_reuses_the_answer_to_the_same_bytes(unruly: LiveStack) -> None:
    body, kind = arrow([row(), row()]), {"content-type": "application/vnd.apache.arrow.stream"}
    asked = "/predict?model=touchy&cache=60"
    first, second = (unruly.http.post(asked, content=body, headers=kind).json() for _ in range(2))
    assert second["predictions"] == first["predictions"]
    assert second["receipt"]["cached"] is True


def test_model_setting_holds_until_it_is_changed(unruly: LiveStack) -> None:
    changes, given = Changes(Registry(Path(unruly.home))), row()
    body = {"model": "touchy", "features": given}
    try:
        changes.set_cache("touchy", 60)
        assert unruly.http.get("/models/touchy").json()["cache"] == 60
        found = [post(unruly, "/predict", body).json() for _ in range(2)]
        assert [each["receipt"].get("cached") for each in found] == [None, True]
    finally:
        changes.set_cache("touchy", False)
    assert post(unruly, "/predict", body).json()["receipt"].get("cached") is None


def test_statistics_count_what_was_reused(unruly: LiveStack) -> None:
    def cache() -> dict[str, float]:
        stats = unruly.http.get("/stats").json()["predictions"]
        (found,) = [each["cache"] for each in stats if each["model"] == "touchy"]
        return found

    post(unruly, "/predict", {"model": "touchy", "features": row()})
    before, body = cache(), {"model": "touchy", "features": row(), "cache": True}
    for _ in range(3):
        post(unruly, "/predict", body)
    after = cache()
    assert {name: after[name] - before[name] for name in ("hits", "misses", "joined")} == {
        "hits": 2,
        "misses": 1,
        "joined": 0,
    }
    assert after["saved_bytes"] > before["saved_bytes"]
    metrics = unruly.http.get("/metrics").text
    assert 'predictq_cache_total{model="touchy",result="hit",version="1"}' in metrics


def test_identical_requests_at_once_are_computed_once(unruly: LiveStack) -> None:
    given = row()
    body = {"model": "touchy", "features": given, "cache": True}
    with ThreadPoolExecutor(8) as callers:
        with unruly.gathering():
            waiting = [callers.submit(post, unruly, "/predict", body) for _ in range(8)]
            until(lambda: joined(unruly) == 7, "seven have joined the first")
        answers = [each.result().json() for each in waiting]
    assert {each["predictions"][0] for each in answers} == {2 * given[0]}
    assert len({each["id"] for each in answers}) == 8
    assert [each["receipt"].get("cached") for each in answers].count(None) == 1
    assert computed(unruly, given[0]) == 1


def test_killed_process_of_the_leader_fails_no_other(unruly: LiveStack) -> None:
    given = row()
    with unruly.frozen_pool():
        ids = [unruly.submit("touchy", given, cache=True)["id"] for _ in range(4)]
        until(lambda: unruly.http.get("/stats").json()["reserved"], "the leader is taken")
        for process in unruly.pool():
            process.kill()
    outcomes = [unruly.outcome(task_id) for task_id in ids]
    assert [each["status"] for each in outcomes] == ["succeeded"] * 4
    assert {each["predictions"][0] for each in outcomes} == {2 * given[0]}


def test_cancelled_leader_leaves_the_others_to_be_computed(unruly: LiveStack) -> None:
    given = row()
    with unruly.gathering():
        first, *others = [unruly.submit("touchy", given, cache=True)["id"] for _ in range(3)]
        unruly.http.delete(f"/predict/result/{first}")
        assert joined(unruly) == 0
        unruly.submit("touchy", row())
    assert unruly.outcome(first)["status"] == "cancelled"
    assert [unruly.outcome(each)["predictions"] for each in others] == [[2 * given[0]]] * 2


def joined(stack: LiveStack) -> int:
    """How many predictions wait for a leader."""
    with redis.Redis.from_url(stack.redis_url) as client:
        leaders = client.zrange(keys.LEADERS, 0, -1)
        return sum(client.hlen(keys.JOINED + leader.decode()) for leader in leaders)


def test_routes_of_hand_written_services_reuse_answers_as_the_model_says(unruly) -> None:
    changes, given = Changes(Registry(Path(unruly.home))), row()
    body = {"model_id": "touchy", "features": [given]}
    changes.set_cache("touchy", True)
    try:
        answers = [post(unruly, "/predict", body).json() for _ in range(3)]
    finally:
        changes.set_cache("touchy", False)
    assert [answer["receipt"].get("cached") for answer in answers] == [None, True, True]
    assert {answer["prediction"][0] for answer in answers} == {2 * given[0]}
    assert computed(unruly, given[0]) == 1
