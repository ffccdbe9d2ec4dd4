"""Predictions that may reuse answers, and what became of them."""

from msgspec.structs import replace

from tasks.ledger import keys
from tasks.ledger.predictions.acceptance import Offer
from tasks.ledger.predictions.settled import Settled
from tasks.messages import Reuse
from tests.integration.ledger.ledger_harness import (
    PREDICTION,
    RECEIPT,
    LedgerHarness,
    offer,
)

LONG = 'a result":,"traceback":null of a label'
"""Texts in answers may look like the record itself."""


def asked(task_id: str, seconds: float = 30, key: str = "k", **changes: object) -> Offer:
    return replace(offer(task_id, replace(PREDICTION, **changes)), reuse=Reuse(key, seconds))


def state(harness: LedgerHarness, *ids: str) -> list[str]:
    records = [harness.ledger.record(task_id) for task_id in ids]
    return [record.state if record else "" for record in records]


def settle(harness: LedgerHarness, answer: object = 7, **receipt: object) -> list[str]:
    """Settle all that is queued with one answer; returns the ids."""
    batch = harness.take()
    if not batch:
        return []
    harness.ledger.start(batch)
    known = replace(RECEIPT, **receipt)
    outcomes = [
        Settled(harness.ledger.record(task_id).succeeded([answer], known), tag)
        for tag, task_id in batch
    ]
    harness.ledger.settle("churn:3", outcomes)
    return [task_id for _, task_id in batch]


def reuse_of(harness: LedgerHarness) -> dict[str, float]:
    found = harness.client.hgetall(keys.REUSE + "churn:3")
    return {name.decode(): float(value) for name, value in found.items()}
