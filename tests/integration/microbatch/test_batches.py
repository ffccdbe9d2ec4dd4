"""Microbatches form by themselves, and each message ends as if it had run alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest

from tests.support.models import DEADLY, GUILTY
from tests.support.stack import Json, LiveStack, until
from tests.support.stock_producer import Stock

PAST = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def stock(unruly: LiveStack) -> Stock:
    return Stock(unruly.redis_url)


def submit(stack: LiveStack, model: str, *values: float) -> list[str]:
    return [stack.submit(model, [value, 0.0])["id"] for value in values]


def outcomes(stack: LiveStack, ids: list[str]) -> list[Json]:
    return [stack.outcome(task_id) for task_id in ids]


def reserved(stack: LiveStack) -> int:
    return int(stack.http.get("/stats").json()["reserved"])


def occupy(stack: LiveStack) -> list[str]:
    """Occupy each process, one after the other so that the messages do not share a microbatch."""
    ids: list[str] = []
    for count in range(1, stack.parts.workers + 1):
        ids += submit(stack, "doubling", 1.0)
        until(lambda count=count: reserved(stack) == count, "another is busy")
    return ids


def computed(stack: LiveStack) -> set[float]:
    return set(map(float, (stack.home / "diary").read_text().split()))


def test_gathered_messages_share_a_model_call(unruly: LiveStack) -> None:
    with unruly.gathering():
        ids = submit(unruly, "doubling", *range(200))
    answers = outcomes(unruly, ids)
    assert [answer["predictions"] for answer in answers] == [[2.0 * n] for n in range(200)]
    assert max(answer["receipt"]["batch_size"] for answer in answers) > 10


def test_model_error_fails_its_prediction_alone(unruly: LiveStack) -> None:
    """Hazard 17."""
    values = [*map(float, range(30)), GUILTY, *map(float, range(30, 64))]
    with unruly.gathering():
        ids = submit(unruly, "touchy", *values)
    answers = dict(zip(values, outcomes(unruly, ids), strict=True))
    error = answers.pop(GUILTY)["error"]
    assert error["code"] == "model_error"
    assert "666.0" in error["message"]
    assert {value: answer["predictions"] for value, answer in answers.items()} == {
        float(n): [2.0 * n] for n in range(64)
    }


def test_answer_without_json_fails_alone(unruly: LiveStack) -> None:
    with unruly.gathering():
        ids = submit(unruly, "strange", 1.0, GUILTY, 2.0)
    first, strange, last = outcomes(unruly, ids)
    assert [first["predictions"], last["predictions"]] == [[2.0], [4.0]]
    assert strange["error"]["code"] == "model_error"


def test_lethal_prediction_fails_alone(unruly: LiveStack) -> None:
    """Hazard 9."""
    worker, victims = unruly.pid("worker"), {process.pid for process in unruly.pool()}
    with unruly.gathering():
        good = submit(unruly, "lethal", 1.0, 2.0)
        (deadly,) = submit(unruly, "lethal", DEADLY)
        good += submit(unruly, "lethal", 3.0)
    assert [a["predictions"] for a in outcomes(unruly, good)] == [[2.0], [4.0], [6.0]]
    error = unruly.outcome(deadly)["error"]
    assert error["code"] == "worker_lost"
    assert "4 times" in error["message"]
    assert unruly.pid("worker") == worker
    until(lambda: len(unruly.pool()) == len(victims), "the pool has all its processes again")
    assert unruly.predict("lethal", [4.0, 0.0]) == [8.0]


def test_expired_prediction_is_not_computed(unruly: LiveStack, stock: Stock) -> None:
    with unruly.gathering():
        late = stock.submit("touchy", [[1001.0, 0.0]], expires=PAST)
        in_time = stock.submit("touchy", [[1002.0, 0.0]], expires=600)
    assert unruly.outcome_of_stock(in_time)["predictions"] == [2004.0]
    assert unruly.outcome_of_stock(late)["status"] == "expired"
    assert computed(unruly) & {1001.0, 1002.0} == {1002.0}


def test_revoked_prediction_is_not_computed(unruly: LiveStack, stock: Stock) -> None:
    with unruly.frozen_pool():
        busy = occupy(unruly)
        revoked, wanted = submit(unruly, "touchy", 2001.0, 2002.0)
        stock.app.control.revoke(revoked)
        until(lambda: revoked in told(stock.app.control.inspect(limit=1).revoked()), "revoked")
    assert unruly.outcome(revoked)["status"] == "cancelled"
    assert [a["status"] for a in outcomes(unruly, [wanted, *busy])] == ["succeeded"] * 3
    assert computed(unruly) & {2001.0, 2002.0} == {2002.0}


def told(replies: dict[str, Any] | None) -> Any:
    """The reply of the only worker; empty until it replies."""
    return next(iter((replies or {}).values()), ())


def test_celery_inspect_sees_every_prediction_of_a_running_batch(
    unruly: LiveStack, stock: Stock
) -> None:
    inspect = stock.app.control.inspect(timeout=5, limit=1)
    until(lambda: told(inspect.active()) == [], "the end of what was before")
    with unruly.frozen_pool():
        with unruly.frozen("worker"):
            ids = submit(unruly, "doubling", *range(3)) + submit(unruly, "touchy", 1.0, 2.0)
            waiting = submit(unruly, "lethal", 1.0, 2.0)
        active = until(lambda: told(inspect.active()), "an answer of the worker")
        held_back = told(inspect.reserved())
        statistics = told(inspect.stats())
        assert told(inspect.ping()) == {"ok": "pong"}
    assert sorted(request["id"] for request in active) == sorted(ids)
    assert sorted(request["id"] for request in held_back) == sorted(waiting)
    assert {request["name"] for request in active} == {"tasks.prediction.predict"}
    assert sorted(statistics["pool"]["processes"]) == sorted(p.pid for p in unruly.pool())
    assert {a["status"] for a in outcomes(unruly, ids + waiting)} == {"succeeded"}
    until(lambda: told(inspect.active()) == told(inspect.reserved()) == [], "nothing is held")


@contextmanager
def events(stock: Stock) -> Iterator[list[Json]]:
    """Collect Celery's events inside the context, as Flower receives them."""
    seen: list[Json] = []
    with stock.app.connection_for_read() as connection:
        receiver = stock.app.events.Receiver(connection, handlers={"*": seen.append})
        listening = Thread(target=receiver.capture, kwargs={"wakeup": False})
        listening.start()
        try:
            until(lambda: seen, "a first event, be it a heartbeat")
            yield seen
        finally:
            receiver.should_stop = True
            listening.join()


def test_events_name_each_prediction_by_its_id(unruly: LiveStack, stock: Stock) -> None:
    values = 1.0, GUILTY, 2.0
    with events(stock) as seen:
        until(lambda: heard_of_a_task(unruly, seen), "the worker to notice the listener")
        with unruly.gathering():
            ids = submit(unruly, "touchy", *values)
            late = stock.submit("touchy", [[1.0, 0.0]], expires=PAST)
        ends = "task-succeeded", "task-failed", "task-succeeded", "task-revoked"
        steps = {
            task_id: ["task-received", "task-started", end]
            for task_id, end in zip([*ids, late], ends, strict=True)
        }
        until(lambda: steps == steps_of(seen, steps), "three events of each")
    (failure,) = (event for event in seen if event["type"] == "task-failed")
    assert "model_error" in failure["exception"]


def heard_of_a_task(stack: LiveStack, seen: list[Json]) -> bool:
    """Whether a prediction causes events: a worker looks once a second whether anyone listens."""
    stack.predict("doubling", [1.0, 0.0])
    return any(event["type"].startswith("task-") for event in seen)


def steps_of(seen: list[Json], ids: Any) -> dict[str, list[str]]:
    return {i: [event["type"] for event in seen if event.get("uuid") == i] for i in ids}


@pytest.mark.parametrize("priority", [0, 3, 9])
def test_message_with_priority_is_not_lost(unruly: LiveStack, stock: Stock, priority: int) -> None:
    """Stock producers push messages with a priority to a list that our workers do not watch."""
    task_id = stock.submit("doubling", [21.0, 0.0], priority=priority)
    assert unruly.outcome_of_stock(task_id)["predictions"] == [42.0]
