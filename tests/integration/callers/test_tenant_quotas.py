"""Quotas of tenants in the script that accepts: rows that wait, and bytes of outcomes."""

import pytest
import redis
from msgspec.structs import replace

from tasks.ledger import keys
from tasks.ledger.predictions.acceptance import Offer
from tasks.ledger.predictions.settled import Settled
from telemetry.errors import OutcomeBytesQuota, QueuedRowsQuota
from tests.integration.ledger.ledger_harness import (
    GENEROUS,
    PREDICTION,
    RECEIPT,
    TTL,
    LedgerHarness,
    offer,
)

WAITING = keys.QUEUED_BY_TENANT + "predict"


def of(tenant: str, task_id: str, rows: int = 1) -> Offer:
    return offer(task_id, replace(PREDICTION, features=[[1.0]] * rows, tenant=tenant))


@pytest.fixture
def harness(client: redis.Redis) -> LedgerHarness:
    client.flushall()
    return LedgerHarness(client, tenant_queued_rows=5, tenant_outcome_bytes=2000)


def test_rows_that_wait_are_bounded_for_each_tenant(harness: LedgerHarness) -> None:
    accept = harness.ledger.accept
    accept(of("risk", "a", 3))
    with pytest.raises(QueuedRowsQuota, match="5 rows") as refused:
        accept(of("risk", "b", 3))
    assert refused.value.extra["retry_after"] > 0
    assert harness.ledger.record("b") is None
    accept(of("risk", "a", 3))  # the same call again
    accept(of("risk", "c", 2))
    accept(of("web", "d", 5))
    accept(of("default", "e", 9))
    assert harness.client.hgetall(WAITING) == {b"risk": b"5", b"web": b"5"}


def test_rows_that_left_the_queue_do_not_wait(harness: LedgerHarness) -> None:
    harness.ledger.accept(of("risk", "a", 3))
    harness.ledger.accept(of("risk", "b", 2))
    ((tag, _),) = harness.reservations.reserve("predict", 1, *GENEROUS)
    harness.ledger.accept(of("risk", "c", 3))
    harness.reservations.release([tag])
    assert harness.reservations.upkeep([]) == 1  # "a" is back
    assert harness.client.hget(WAITING, "risk") == b"8"
    with pytest.raises(QueuedRowsQuota):
        harness.ledger.accept(of("risk", "d"))
    harness.take()
    assert not harness.client.exists(WAITING)
    harness.ledger.accept(of("risk", "d", 5))


def test_purged_rows_do_not_wait(harness: LedgerHarness) -> None:
    harness.ledger.accept(of("risk", "a", 5))
    harness.client.delete("predict")
    harness.ledger.accept(of("risk", "b", 5))


def stored(harness: LedgerHarness, task_id: str) -> None:
    harness.ledger.accept(of("risk", task_id))
    ((tag, _),) = harness.take()
    outcome = harness.ledger.record(task_id).succeeded(["x" * 900], RECEIPT)
    assert harness.ledger.settle("churn:3", [Settled(outcome, tag)]) == 1


def as_if_written_before(harness: LedgerHarness, periods: int) -> tuple[str, int]:
    """Have all that is stored of a tenant written so many periods earlier; its key and bytes."""
    key = f"{keys.STORED}{TTL}:risk"
    counts = {name: int(count) for name, count in harness.client.hgetall(key).items()}
    total = counts.pop(b"bytes")
    harness.client.hdel(key, *counts)
    harness.client.hset(key, mapping={int(period) - periods: n for period, n in counts.items()})
    return key, total


def test_outcomes_are_bounded_until_they_are_forgotten(harness: LedgerHarness) -> None:
    for task_id in "ab":
        stored(harness, task_id)
    with pytest.raises(OutcomeBytesQuota, match="2000 bytes") as refused:
        harness.ledger.accept(of("risk", "c"))
    assert 1 <= refused.value.extra["retry_after"] <= TTL + TTL / 12 + 1
    harness.ledger.accept(of("web", "d"))
    harness.ledger.accept(of("default", "e"))

    as_if_written_before(harness, periods=13)
    harness.ledger.accept(of("risk", "c"))


def test_what_is_forgotten_is_taken_off_while_more_is_stored(harness: LedgerHarness) -> None:
    stored(harness, "a")
    key, size = as_if_written_before(harness, periods=13)
    stored(harness, "b")
    assert harness.client.hlen(key) == 2
    assert int(harness.client.hget(key, "bytes")) == size
    assert 0 < harness.client.ttl(key) <= TTL + TTL / 12 + 1
