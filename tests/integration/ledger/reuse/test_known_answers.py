"""Predictions with an answer key whose answer is known have it at once."""

import json

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from tasks.gateway import Gateway
from tasks.ids import Ids
from tasks.ledger import keys
from tasks.ledger.predictions.acceptance import Offer, Reused
from tasks.ledger.script_constants import MAX_REUSED_BYTES
from tasks.messages import Reuse
from tests.integration.ledger.ledger_harness import (
    PREDICTION,
    RECEIPT,
    TTL,
    LedgerHarness,
    offer,
)
from tests.integration.ledger.reuse.reusing import LONG, asked, reuse_of, settle, state


def test_later_prediction_has_the_answer_at_once_in_a_record_of_its_own(harness) -> None:
    harness.ledger.accept(asked("a", alias="blue"))
    settle(harness, {"label": LONG, "traceback": 1.0, "x": 1e-300}, alias="blue", queue_ms=5.0)

    accepted = harness.ledger.accept(asked("b", alias="green", created_at=1.9e9))

    assert isinstance(accepted, Reused)
    record, first = harness.ledger.record("b"), harness.ledger.record("a")
    assert record == replace(
        first,
        task_id="b",
        alias="green",
        created_at=1.9e9,
        date_done=record.date_done,
        receipt=replace(RECEIPT, alias="green", queue_ms=0.0, cached=True),
    )
    assert record.date_done > first.date_done
    assert json.loads(accepted.text)["task_id"] == "b"
    assert harness.queued() == 0
    assert 0 < harness.client.ttl(keys.record("b")) <= TTL
    assert reuse_of(harness) == {
        "misses": 1,
        "hits": 1,
        "bytes": len(json.dumps(first.result, separators=(",", ":"))),
        "ms": RECEIPT.compute_ms,
    }


def test_first_receipt_does_not_say_cached(harness) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness)
    assert harness.ledger.record("a").receipt.cached is UNSET


@pytest.mark.parametrize("second", [offer("b"), asked("b", key="other")])
def test_prediction_that_may_not_reuse_it_is_computed(harness, second: Offer) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness)
    assert harness.ledger.accept(second) == "b"
    assert settle(harness) == ["b"]


@pytest.mark.parametrize(
    ("seconds", "cost", "age", "is_reused"),
    [
        (30, 0.0, 29, True),
        (30, 0.0, 31, False),
        (0, 0.1, 59, True),  # a minute at least
        (0, 0.1, 61, False),
        (0, 2.0, 119, True),  # a minute for each millisecond
        (0, 2.0, 121, False),
        (0, 1e6, 3599, True),
        (0, 1e6, 3601, False),  # an hour at most
    ],
)
def test_answer_is_reused_for_so_long(client, seconds, cost, age, is_reused) -> None:
    harness = LedgerHarness(client, result_ttl=7200)
    harness.ledger.accept(asked("a", seconds))
    settle(harness, compute_ms=cost)
    client.expire(keys.record("a"), 7200 - age)

    assert isinstance(harness.ledger.accept(asked("b", seconds)), Reused) is is_reused

    if not is_reused:  # it leads from now on
        settle(harness)
        assert isinstance(harness.ledger.accept(asked("c", seconds)), Reused)


def test_key_of_an_answer_expires(harness) -> None:
    harness.ledger.accept(asked("a", 5))
    assert 5 < harness.client.ttl(keys.ANSWERS + "k") <= 65


def test_long_answers_are_looked_up_longer_ones_computed(harness) -> None:
    harness.ledger.accept(asked("a"))
    settle(harness, "x" * (MAX_REUSED_BYTES - 1000))
    accepted = harness.ledger.accept(asked("b"))
    assert accepted == Reused("b", b"")
    gateway = Gateway(harness.ledger, Ids(b"key"), harness.settings)
    prediction = replace(PREDICTION, reuse=Reuse("k", 30))
    assert gateway.submit(prediction).state == "succeeded"

    harness.ledger.accept(asked("c", key="longer"))
    harness.ledger.accept(asked("d", key="longer"))
    settle(harness, "x" * MAX_REUSED_BYTES)
    assert state(harness, "c", "d") == ["succeeded", "queued"], "which is too long to be copied"
    assert harness.ledger.accept(asked("e", key="longer")) == "e"
    assert settle(harness) == ["d", "e"]
