"""Hazards 3 and 4: the worker survives any message and reports what became of it.

A message with a readable id gets a failed outcome under it; any other becomes a dead
letter.
"""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.dead_letters.letters import WholeLetter
from tasks.ledger.ledger import connect
from tests.support.stack import LiveStack, until
from tests.support.stock_producer import Stock

ID = "11111111-2222-4333-8444-55555555"
"""And four more digits."""
serials = itertools.count(1)
MISSING = object()
Envelope = dict[str, Any]


def body(*args: Any, **kwargs: Any) -> str:
    return json.dumps([args, kwargs, {}])


def envelope(where: str = "", value: Any = MISSING) -> Envelope:
    """A message as kombu writes it, with one entry changed or removed."""
    task_id = f"{ID}{next(serials):04}"
    message: Envelope = {
        "body": body("doubling", [[1.0, 0.0]]),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": "tasks.prediction.predict", "id": task_id, "lang": "py"},
        "properties": {"correlation_id": task_id, "delivery_tag": "t", "delivery_info": {}},
    }
    *path, last = where.split(".")
    target = message
    for step in path:
        target = target[step]
    target.pop(last, None) if value is MISSING else target.update({last: value})
    return message


NO_MESSAGES = [b"", b"not JSON", b"\xff\xfe\x00", b"[]", b"[1, 2]", b'"text"', b"7", b"null", b"{}"]
ENVELOPES = [
    ("properties",),
    ("properties", []),
    ("properties", None),
    ("properties.body_encoding", "base64"),
    ("properties.body_encoding", 7),
    ("properties.body_encoding", "base65"),
    ("properties.delivery_info", "x"),
    ("headers",),
    ("headers", []),
    ("headers", [1]),
    ("headers", "x"),
    ("headers.task",),
    ("headers.task", 7),
    ("headers.task", []),
    ("headers.task", "nobody.knows.it"),
    ("headers.task", "celery.backend_cleanup"),
    ("headers.id",),
    ("headers.id", None),
    ("headers.id", 7),
    ("headers.id", ["x"]),
    ("headers.id", {}),
    ("headers.expires", "yesterday"),
    ("headers.expires", 5),
    ("headers.expires", {}),
    ("headers.eta", "soon"),
    ("headers.compression", "zlib"),
    ("headers.compression", "unknown"),
    ("body",),
    ("body", None),
    ("body", 7),
    ("body", {}),
    ("body", [1]),
    ("body", "not JSON"),
    ("body", "[]"),
    ("body", "[[], {}]"),
    ("body", "[7, 8, 9]"),
    ("body", "[" * 100_000),
    ("body", body()),
    ("body", body(*range(9))),
    ("body", body("doubling", [[1.0, 0.0]], nonsense=1)),
    ("body", body("doubling", [[1.0, 0.0]], method=["predict"])),
    ("body", body({"a": 1}, [[1.0, 0.0]])),
    ("body", body("doubling:" + "9" * 5000, [[1.0, 0.0]])),
    ("content-type",),
    ("content-type", 7),
    ("content-type", "application/x-python-serialize"),
]
HARMLESS = [
    ("headers.batch", "x" * 100_000),
    ("headers.batch", "doubling:1"),
    ("headers.batch", "nobody:1 predict"),
    ("headers.batch", " "),
    ("headers.rows", -5),
    ("headers.rows", 10**30),
    ("headers.argsrepr", 7),
    ("headers.timelimit", "x"),
    ("headers.shadow", 7),
    ("headers.eta", "2001-01-01T00:00:00"),
    ("content-encoding",),
    ("content-encoding", 7),
    ("content-encoding", "utf-77"),
    ("properties.delivery_tag",),
    ("properties.priority", "x"),
]


@pytest.fixture
def client(unruly: LiveStack) -> Iterator[redis.Redis]:
    """Afterwards, the worker process is the same, answers, and holds no messages."""
    worker = unruly.pid("worker")
    with connect(unruly.redis_url) as client:
        client.delete(keys.DEAD_LETTERS, keys.DEAD_LETTER_TIMES)
        yield client
        assert unruly.predict("doubling", [2.0, 0.0]) == [4.0]
        assert client.hlen(keys.RESERVED) == client.zcard(keys.DUE) == client.llen("predict") == 0
    assert unruly.pid("worker") == worker


def name(case: Any) -> str:
    return " ".join(map(str, case))[:30] if isinstance(case, tuple) else repr(case)


def failed(client: redis.Redis, task_id: Any) -> bool:
    record = client.get(keys.record(str(task_id)))
    return record is not None and json.loads(record)["state"] == "failed"


def only_dead_letter(client: redis.Redis) -> WholeLetter:
    (text,) = client.hvals(keys.DEAD_LETTERS)
    return msgspec.json.decode(text, type=WholeLetter)


@pytest.mark.parametrize("message", NO_MESSAGES, ids=repr)
def test_unreadable_message_becomes_a_dead_letter_whole(
    client: redis.Redis, message: bytes
) -> None:
    client.lpush("predict", message)
    until(lambda: client.hlen(keys.DEAD_LETTERS) == 1, "a dead letter", 5)
    letter = only_dead_letter(client)
    assert letter.content == message
    assert letter.reason


@pytest.mark.parametrize("case", ENVELOPES, ids=name)
def test_invalid_message_fails_or_becomes_a_dead_letter(
    client: redis.Redis, case: tuple[Any, ...]
) -> None:
    message = envelope(*case)
    headers = message.get("headers")
    task_id = headers.get("id") if isinstance(headers, dict) else None
    client.lpush("predict", json.dumps(message))
    until(lambda: client.hlen(keys.DEAD_LETTERS) == 1 or failed(client, task_id), "its end", 5)
    if isinstance(task_id, str):
        until(lambda: failed(client, task_id), "its outcome", 5)
    if client.hlen(keys.DEAD_LETTERS):
        assert json.loads(only_dead_letter(client).content) == message


def test_worker_holds_no_message_of_celery_s_own_tasks(
    unruly: LiveStack, client: redis.Redis
) -> None:
    message = envelope("headers.task", "celery.backend_cleanup")
    client.lpush("predict", json.dumps(message))
    until(lambda: failed(client, message["headers"]["id"]), "its outcome", 5)
    (held,) = Stock(unruly.redis_url).app.control.inspect(timeout=5, limit=1).reserved().values()
    assert held == []


@pytest.mark.parametrize("case", HARMLESS, ids=name)
def test_faulty_message_fields_beside_the_call_do_no_harm(
    unruly: LiveStack, client: redis.Redis, case: tuple[Any, ...]
) -> None:
    message = envelope("headers.rows", 1)
    message["headers"]["batch"] = "doubling:1 predict"
    changed = envelope(*case)
    for part in ("headers", "properties"):
        message[part] |= changed[part]
    message |= {key: changed[key] for key in ("content-encoding",) if key in changed}
    client.lpush("predict", json.dumps(message))
    assert unruly.outcome_of_stock(message["headers"]["id"], 5)["predictions"] == [2.0]
