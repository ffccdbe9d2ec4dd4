"""Submissions are refused before Redis is full, so that outcomes have room."""

import redis

from tasks.messages import Idempotency
from telemetry.errors import QueueFull
from tests.integration.ledger.ledger_harness import LedgerHarness
from tests.support.stack import until

ROOM, PIECE = 64 * 2**20, 2**20


def used(client: redis.Redis) -> int:
    return int(client.info("memory")["used_memory"])


def is_refused(harness: LedgerHarness, ids: list[str]) -> bool:
    try:
        harness.accept(ids.pop())
    except QueueFull as error:
        assert "of accepted predictions" in str(error)
        return True
    harness.client.delete("predict")
    return False


def test_memory_gauge_refuses_submissions_while_redis_is_nearly_full(client: redis.Redis) -> None:
    harness = LedgerHarness(client, max_queued=10)
    ids = [f"{number}" for number in range(10_000)]
    most = used(client) + ROOM
    client.config_set("maxmemory", most)
    try:
        assert not is_refused(harness, ids)
        while used(client) < 0.8 * most:
            client.rpush("outcomes of others", bytes(PIECE))
        until(lambda: is_refused(harness, ids), "submissions are refused")
        client.delete("outcomes of others")
        until(lambda: not is_refused(harness, ids), "submissions are accepted again")
    finally:
        client.config_set("maxmemory", 0)


def test_memory_gauge_lets_a_repeated_submission_have_its_id(client: redis.Redis) -> None:
    harness = LedgerHarness(client, max_queued=10)
    ids, key = [f"{number}" for number in range(10_000)], Idempotency("k", "same")
    assert harness.accept("first", key=key) == "first"
    client.config_set("maxmemory", used(client) * 5 // 4)
    try:
        until(lambda: is_refused(harness, ids), "submissions are refused")
        assert harness.accept("second", key=key) == "first"
    finally:
        client.config_set("maxmemory", 0)


def test_memory_gauge_checks_nothing_without_a_limit(client: redis.Redis) -> None:
    harness = LedgerHarness(client)
    for _ in range(3):
        harness.accept()
