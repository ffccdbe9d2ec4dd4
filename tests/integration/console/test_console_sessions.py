"""Sessions of the console in a real Redis."""

import asyncio

import pytest
import redis

from api.console.session.sessions import SESSION_IDLE_SECONDS, Sessions
from tasks.ledger.predictions.pipeline import Pipeline
from tasks.ledger.queue.listing import OpenIds
from telemetry.errors import Forbidden


def sessions_of(client: redis.Redis, key: bytes) -> Sessions:
    return Sessions(client, Pipeline(client), key)


def test_console_code_is_exchanged_once(client: redis.Redis) -> None:
    sessions = sessions_of(client, b"key")
    code = sessions.issue_code()
    cookie = sessions.exchange(code)
    with pytest.raises(Forbidden):
        sessions.exchange(code)
    assert asyncio.run(sessions.is_valid(cookie))
    assert not asyncio.run(sessions.is_valid(code))
    sessions.end(cookie)
    assert not asyncio.run(sessions.is_valid(cookie))


def test_console_session_is_prolonged_and_ends_with_the_local_key(client: redis.Redis) -> None:
    sessions = sessions_of(client, b"key")
    cookie = sessions.exchange(sessions.issue_code())
    (name,) = client.keys("predictq:console:*")
    assert cookie.encode() not in name
    client.expire(name, 10)
    assert asyncio.run(sessions.is_valid(cookie))
    assert client.ttl(name) > SESSION_IDLE_SECONDS - 10
    assert not asyncio.run(sessions_of(client, b"another key").is_valid(cookie))


def test_console_session_ends_after_a_week(client: redis.Redis) -> None:
    sessions = sessions_of(client, b"key")
    cookie = sessions.exchange(sessions.issue_code())
    (name,) = client.keys("predictq:console:*")
    client.set(name, "1.0")
    assert not asyncio.run(sessions.is_valid(cookie))


def test_console_without_a_local_key_has_no_sessions(client: redis.Redis) -> None:
    with pytest.raises(Forbidden):
        sessions_of(client, b"").issue_code()


def test_open_ids_of_a_queue_and_of_workers(client: redis.Redis) -> None:
    client.lpush("predict", '{"id":"a"}', "no message", '{"id": "b"}')
    client.hset(
        "predictq:reserved", mapping={"predict:7": '{"id":"c"}', "predict:07": '{"id":"d"}'}
    )
    listed = OpenIds(client)
    assert listed.queued("predict", 50) == ["a", "b"]
    assert listed.queued("predict", 1) == ["a"]
    assert listed.reserved("predict", 50) == ["c"]
    assert listed.reserved("bulk", 50) == []
