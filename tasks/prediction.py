"""The task of one prediction; its body is a port that a worker's start-up fills."""

import time
from typing import Any, Protocol

import msgspec
from celery import Task
from celery.exceptions import Ignore

from tasks.app import app
from tasks.record import Answer, Receipt


class Computed(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine says: the predictions, and which model made them how."""

    predictions: list[Any]
    model: str
    version: int
    sha256: str
    compute_ms: float
    batch_size: int
    runtime: str


class Engine(Protocol):
    """What a worker brings: models."""

    def predict(self, reference: str, features: Any, method: str) -> Computed:
        """Answer rows of features; raises a `PredictqError` that says why it can't."""


class PredictionTask(Task):  # type: ignore[misc]  # Celery has no types
    """Holds the port: one task object per process, so one engine per process."""

    engine: Engine


@app.task(bind=True, base=PredictionTask)  # type: ignore[untyped-decorator]  # Celery has no types
def predict(
    self: PredictionTask,
    model: str,
    features: Any,
    method: str = "predict",
    alias: str | None = None,
    created_at: float | None = None,
) -> Answer:
    """Compute one prediction, unless it has its outcome already (cancelled, or done elsewhere)."""
    attempt = self.backend.ledger.start(self.request.id)
    if not attempt:
        raise Ignore
    started_at = time.time()
    computed = self.engine.predict(model, features, method)
    receipt = Receipt(
        model=computed.model,
        version=computed.version,
        sha256=computed.sha256,
        alias=alias,
        attempt=attempt,
        queue_ms=_milliseconds(started_at - (created_at or started_at)),
        compute_ms=computed.compute_ms,
        batch_size=computed.batch_size,
        runtime=computed.runtime,
    )
    return Answer(computed.predictions, receipt)


def _milliseconds(seconds: float) -> float:
    return round(max(seconds, 0.0) * 1000, 3)  # clocks of two hosts may disagree
