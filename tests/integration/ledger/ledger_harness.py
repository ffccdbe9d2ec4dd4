"""A ledger on a bare Redis, and the calls that tests make."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
import redis
from msgspec.structs import replace

from tasks.ledger.ledger import Ledger
from tasks.ledger.predictions.acceptance import Offer
from tasks.ledger.queue.reservations import Reservations
from tasks.messages import Idempotency, Prediction, envelope
from tasks.record import Record
from tasks.settings import Settings
from tests.receipts import RECEIPT as SOME_RECEIPT

TTL = 60
SETTINGS = Settings(
    home="/none",
    redis_url="",
    result_ttl=TTL,
    breaker_failures=1000,
    dead_letters_per_minute=1000,
    probe_after=0.2,
)
PREDICTION = Prediction(
    model="churn", version=3, alias=None, method="predict", features=[[1.0]], created_at=1.8e9
)
RECEIPT = replace(SOME_RECEIPT, model="churn", version=3, batch_size=1)
GENEROUS = 1000, 10**6
"""Rows and bytes."""


def message(task_id: str, prediction: Prediction = PREDICTION) -> bytes:
    return envelope("t", task_id, "predict", prediction)


def offer(
    task_id: str, prediction: Prediction = PREDICTION, key: Idempotency | None = None
) -> Offer:
    record, rows = Record.queued(task_id, prediction), len(prediction.features)
    return Offer("predict", record, message(task_id, prediction), rows, key)


@contextmanager
def full(client: redis.Redis) -> Iterator[None]:
    """Redis is above its maxmemory inside the context."""
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.OutOfMemoryError):
            client.set("anything", 1)
        yield
    finally:
        client.config_set("maxmemory", 0)


class LedgerHarness:
    """``changes`` override the settings of the ledger."""

    def __init__(self, client: redis.Redis, **changes: float) -> None:
        self.client = client
        self.settings = msgspec.structs.replace(SETTINGS, **changes)
        self.ledger = Ledger(client, self.settings)
        self.reservations = Reservations(client, 30, 60)
        self.numbers = itertools.count(1)

    def accept(
        self,
        task_id: str = "",
        model: str = "churn",
        version: int = 3,
        key: Idempotency | None = None,
    ) -> str:
        """Accept a prediction and return its id; by default, the next number."""
        prediction = msgspec.structs.replace(PREDICTION, model=model, version=version)
        return self.ledger.accept(offer(task_id or f"{next(self.numbers)}", prediction, key))

    def take(self, most: int = 100) -> list[tuple[str, str]]:
        """Reserve messages; return tag and id of each."""
        taken = self.reservations.reserve("predict", most, *GENEROUS)
        return [(tag, json.loads(message)["headers"]["id"]) for tag, message in taken]

    def reserve(self, *ids: str) -> list[tuple[str, str]]:
        """Accept and reserve these predictions; return tag and id of each."""
        for task_id in ids:
            self.accept(task_id)
        return self.take(len(ids))

    def queued(self) -> int:
        return self.ledger.depths(("predict",))[0]["predict"]
