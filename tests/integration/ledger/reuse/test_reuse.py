"""Reuse of answers beside damage, pauses, a full Redis and repeated calls."""

import asyncio

import pytest
import redis
from msgspec.structs import replace

from tasks.gateway import Gateway
from tasks.ids import Ids
from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Pauses
from tasks.ledger.predictions.acceptance import Reused
from tasks.messages import Idempotency, Reuse
from tasks.record import Record
from telemetry.errors import QueueFull, VersionPaused
from tests.integration.ledger.ledger_harness import (
    PREDICTION,
    LedgerHarness,
    full,
)
from tests.integration.ledger.reuse.reusing import asked, settle, state


@pytest.mark.parametrize("text", ["", "nothing", "ghost 1"])
def test_damaged_key_of_an_answer_is_no_answer(harness, text: str) -> None:
    harness.client.set(keys.ANSWERS + "k", text)
    harness.ledger.accept(asked("a"))
    assert settle(harness) == ["a"]


def test_outcome_of_another_form_is_no_answer(harness) -> None:
    """One that an older release wrote, or a stock producer chose the id of."""
    harness.client.set(keys.record("a"), '{"status":"SUCCESS","state":"succeeded","other":1}', 60)
    harness.client.set(keys.ANSWERS + "k", f"a {harness.ledger.now()}")
    harness.client.rpush(keys.record("l"), "a list")
    harness.client.set(keys.ANSWERS + "l", f"l {harness.ledger.now()}")
    assert harness.ledger.accept(asked("b")) == "b"
    assert harness.ledger.accept(asked("c", key="l")) == "c"


def test_answer_needs_no_capacity_and_no_running_version(client) -> None:
    LedgerHarness(client).ledger.accept(asked("a"))
    settle(LedgerHarness(client))
    Pauses(client).pause("churn:3", "by hand")
    narrow = LedgerHarness(client, max_queued=1)
    assert isinstance(narrow.ledger.accept(asked("b")), Reused)


def test_answer_is_not_given_while_redis_is_nearly_full(client) -> None:
    LedgerHarness(client).ledger.accept(asked("a"))
    settle(LedgerHarness(client))
    with pytest.raises(QueueFull):  # what the memory gauge makes of the bounds
        LedgerHarness(client, max_queued=0).ledger.accept(asked("c"))


def test_no_prediction_joins_while_the_version_is_paused(harness) -> None:
    harness.ledger.accept(asked("a"))
    Pauses(harness.client).pause("churn:3", "by hand")
    with pytest.raises(VersionPaused):
        harness.ledger.accept(asked("b"))


def test_full_redis_refuses_an_answer_without_a_trace(harness) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness)
    with full(harness.client), pytest.raises(redis.ResponseError, match="maxmemory"):
        harness.ledger.accept(asked("b"))
    assert harness.ledger.record("b") is None


def test_idempotency_key_of_a_reused_answer_is_kept(harness) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness)
    key = Idempotency("i", "payload")
    assert isinstance(harness.ledger.accept(replace(asked("b"), idempotency=key)), Reused)
    assert harness.ledger.accept(replace(asked("c"), idempotency=key)) == "b"


def test_call_that_is_repeated_gives_the_id_again(harness) -> None:
    harness.ledger.accept(asked("a"))
    harness.ledger.accept(asked("b"))
    assert harness.ledger.accept(asked("b")) == "b"
    settle(harness)
    assert harness.ledger.accept(asked("b")) == "b"
    assert state(harness, "b") == ["succeeded"]


def test_gateway_gives_the_outcome_of_a_reused_answer(harness) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness)
    gateway = Gateway(harness.ledger, Ids(b"key"), harness.settings)
    prediction = replace(PREDICTION, reuse=Reuse("k", 30))
    record: Record = gateway.submit(prediction)
    assert (record.state, record.result) == ("succeeded", [7])
    assert gateway.look_up(record.task_id) == record
    again = asyncio.run(gateway.accept_async(gateway.offer(prediction)))
    assert (again.result, again.task_id != record.task_id) == ([7], True)
