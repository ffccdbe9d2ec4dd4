"""Cancelling through the gateway; canaries are refused."""

from typing import Any

import pytest
import redis

from tasks.gateway import Gateway
from tasks.ids import Ids
from tasks.ledger.queue.canaries import CANARY_MODEL
from tasks.messages import Prediction
from tasks.record import Record
from telemetry.errors import Forbidden

NAME, _, NUMBER = CANARY_MODEL.partition(":")


class OneRecord:
    """A ledger with one record; notes what is settled."""

    client = redis.Redis()

    def __init__(self, record: Record) -> None:
        self._record = record
        self.settled: list[Any] = []

    def record(self, _: str) -> Record:
        return self._record

    def settle(self, *settled: Any) -> None:
        self.settled.append(settled)


def gateway(name: str, number: int) -> tuple[Gateway, OneRecord]:
    prediction = Prediction(
        model=name, version=number, alias=None, method="predict", features=[[1.0]], created_at=1.0
    )
    ledger: Any = OneRecord(Record.queued("x", prediction))
    unread: Any = None
    return Gateway(ledger, Ids(b"key"), unread), ledger


def test_canary_cannot_be_cancelled() -> None:
    """A canary's id can be guessed, and without canaries a stalled queue would look healthy."""
    asked, ledger = gateway(NAME, int(NUMBER))
    with pytest.raises(Forbidden):
        asked.cancel("canary-predict")
    assert ledger.settled == []


def test_prediction_is_cancelled() -> None:
    asked, ledger = gateway("churn", 1)
    asked.cancel("x")
    assert len(ledger.settled) == 1
