"""Outcomes are told as server-sent events, and a caller continues where it was."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tasks.ledger import keys
from tests.support.stack import LiveStack, until
from tests.system.waiting.event_listener import EventListener, listening

ROW = [5.1, 3.5, 1.4, 0.2]


@pytest.fixture
def key(stack: LiveStack) -> str:
    return (stack.home / "local.key").read_text().strip()


@pytest.fixture
def listener(stack: LiveStack, key: str) -> Iterator[EventListener]:
    with listening(stack.parts.port, key) as listener:
        until(lambda: listener.heard, "the beginning")
        yield listener


def test_events_tell_every_outcome_once(stack: LiveStack, listener: EventListener) -> None:
    ids = [stack.submit("iris", ROW)["id"] for _ in range(20)]
    until(lambda: len(listener.ids) >= len(ids), "all events")
    assert sorted(listener.ids) == sorted(ids)
    first = next(each for each in listener.heard if each.kind == "outcome")
    assert first.data["status"] == "succeeded"
    assert (first.data["model"], first.data["version"]) == ("iris", 1)
    assert stack.http.get(first.data["urls"]["result"]).status_code == 200
    assert b"content-type: text/event-stream" in listener.head.lower()


def test_events_tell_of_cancelled_predictions(stack: LiveStack, listener: EventListener) -> None:
    with stack.frozen_pool():
        submitted = stack.submit("iris", ROW)
        stack.http.delete(submitted["urls"]["cancel"])
        until(lambda: submitted["id"] in listener.ids, "the event")
    assert listener.heard[-1].data["status"] == "cancelled"


def test_events_continue_after_the_last_one_that_was_read(stack: LiveStack, key: str) -> None:
    first = EventListener(stack.parts.port, key)
    until(lambda: first.heard, "the beginning")
    before = stack.submit("iris", ROW)["id"]
    until(lambda: before in first.ids, "the first event")
    position = first.leave()
    missed = [stack.submit("iris", ROW)["id"] for _ in range(5)]
    for task_id in missed:
        stack.outcome(task_id)
    with listening(stack.parts.port, key, position) as second:
        until(lambda: len(second.ids) >= len(missed), "what was missed")
        assert sorted(second.ids) == sorted(missed)
        assert {each.kind for each in second.heard} == {"outcome"}


@pytest.mark.parametrize("after", ["1-0", "99999999999999-0", "nonsense", "1-0 2-0"])
def test_events_say_that_they_cannot_be_continued(stack: LiveStack, key: str, after: str) -> None:
    with listening(stack.parts.port, key, after) as listener:
        until(lambda: listener.heard, "a first event")
        assert listener.heard[0].kind == "gap"
        task_id = stack.submit("iris", ROW)["id"]
        until(lambda: task_id in listener.ids, "an event after it")


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, "key_missing"), ({"Authorization": "Bearer wrong"}, "key_invalid")],
    ids=["none", "wrong"],
)
def test_events_need_the_local_key(stack: LiveStack, headers: Any, code: str) -> None:
    answer = stack.http.get("/events", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_events_are_only_read(stack: LiveStack) -> None:
    answer = stack.http.post("/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_events_are_kept_only_while_they_are_followed(
    stack: LiveStack, listener: EventListener
) -> None:
    with redis.Redis.from_url(stack.redis_url) as client:
        assert 0 < client.ttl(keys.FOLLOWED) <= 60
        client.delete(keys.FOLLOWED)
        length = client.xlen(keys.EVENTS)
        stack.outcome(stack.submit("iris", ROW)["id"])
        assert client.xlen(keys.EVENTS) == length
