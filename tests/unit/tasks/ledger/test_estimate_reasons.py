"""Why a prediction would wait, from a queue snapshot; and what is said while Redis is away."""

from typing import Any

import msgspec
import pytest
import redis

from tasks.ledger.queue.queue_estimate import UNKNOWN, QueueEstimates, general
from tasks.ledger.queue.queue_snapshot import QueueSnapshot, QueueSnapshots
from tasks.messages import Prediction
from tasks.record import Record

READY, STARTING = {"processes": 2, "loaded": []}, {"processes": 0, "loaded": []}
PREDICTION = Prediction(
    model="churn", version=1, alias=None, method="predict", features=[[1.0]], created_at=1.0
)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"workers": []}, "no_worker"),
        ({"workers": [STARTING]}, "model_loading"),
        ({"paused": frozenset({"churn:1"})}, "paused"),
        ({}, "capacity"),
        ({"depth": 0}, msgspec.UNSET),
    ],
    ids=["no worker", "starting", "paused", "queued", "nothing queued"],
)
def test_reason_for_a_wait_is_that_of_the_queue(state: dict[str, Any], reason: Any) -> None:
    usual = {"depth": 3, "workers": [READY], "paused": frozenset()}
    snapshot = QueueSnapshot(
        rows=0, taken=0, reserved=0, rate=None, oldest=None, **{**usual, **state}
    )
    assert general(snapshot) == reason


def test_queue_estimate_is_unknown_while_redis_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(QueueSnapshots, "of", fail)
    estimates = QueueEstimates(redis.Redis(), "predict")
    record = msgspec.structs.replace(Record.queued("x", PREDICTION), number=1)
    estimates.freshen(record)
    assert estimates.of(record) == UNKNOWN
    assert "the state of the queue cannot be read: away" in caplog.text
