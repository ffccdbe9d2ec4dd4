"""Submissions are refused before Redis is full, so that outcomes have room."""

import asyncio

import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.queue import memory_gauge
from tasks.messages import Idempotency
from tasks.record import Record
from telemetry.errors import QueueFull
from tests.integration.ledger.ledger_harness import PREDICTION, RECEIPT, LedgerHarness, offer
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


def test_memory_gauge_bounds_tiny_outcomes_with_their_overhead(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis keeps some hundred bytes for each outcome beside its text, and they count, too."""
    monkeypatch.setattr(memory_gauge, "GAUGE_SECONDS", 0.0)
    harness = LedgerHarness(client, max_queued=1000)
    before = used(client)
    client.config_set("maxmemory", most := before + 8 * 2**20)
    try:
        until(lambda: not settled(harness, 500), "submissions are refused", pause=0)
        held = used(client) - before
    finally:
        client.config_set("maxmemory", 0)
    texts = client.mget(client.keys(f"{keys.RECORD}*"))
    assert sum(map(len, texts)) < held < most - before
    assert len(texts) > 1000


def settled(harness: LedgerHarness, many: int) -> int:
    """Submit this many predictions and settle those that are accepted; returns their number."""
    ids = [f"{next(harness.numbers)}" for _ in range(many)]
    answers = asyncio.run(harness.ledger.accept_all_async([offer(task_id) for task_id in ids]))
    accepted = sum(isinstance(answer, str) for answer in answers)
    outcomes = [
        Settled(Record.queued(task_id, PREDICTION).succeeded([7], RECEIPT), tag)
        for tag, task_id in harness.take(many)
    ]
    if outcomes:
        assert harness.ledger.settle("churn:3", outcomes) == accepted
    return accepted


def test_memory_gauge_checks_nothing_without_a_limit(client: redis.Redis) -> None:
    harness = LedgerHarness(client)
    for _ in range(3):
        harness.accept()
