"""The record of one prediction: what Redis knows of it, from acceptance until it expires.

It is what a stock Celery result backend stores (``status``, ``result``, …) with our fields beside,
so that a stock ``AsyncResult`` reads it. The two fields in front are what the scripts look at.
"""

import time
from typing import Any, Literal

import msgspec

from tasks.messages import Prediction
from telemetry.errors import PredictqError

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
CELERY_STATUS: dict[State, str] = {
    "queued": "PENDING",
    "running": "STARTED",
    "succeeded": "SUCCESS",
    "failed": "FAILURE",
    "cancelled": "REVOKED",
}
TERMINAL: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Who answered, and how long it took."""

    model: str
    version: int
    sha256: str
    alias: str | None
    attempt: int
    """1 for the first computation."""
    queue_ms: float
    """From acceptance to the start of the computation."""
    compute_ms: float
    """In the model's own method, for the whole batch."""
    batch_size: int
    """Rows that went through the model in the same call."""
    runtime: str
    """Library and version that computed it."""


class Answer(msgspec.Struct, frozen=True):
    """What a worker's engine gives back for one prediction."""

    predictions: list[Any]
    """One per row, in order."""
    receipt: Receipt

    def __repr__(self) -> str:
        """Short: Celery puts it into its log line and its events."""
        return f"{len(self.predictions)} prediction(s)"


class ErrorBody(msgspec.Struct, frozen=True):
    """Why a prediction failed."""

    code: str
    message: str
    retryable: bool

    @classmethod
    def of(cls, error: BaseException) -> "ErrorBody":
        """What a caller may know; the inner text of foreign errors stays in the log."""
        if isinstance(error, PredictqError):
            details = "; ".join(detail.msg for detail in error.errors)
            return cls(error.code, details or error.message, error.retryable)
        if type(error).__name__ in ("WorkerLostError", "TimeLimitExceeded"):
            return cls("worker_lost", "the worker died or ran out of time computing this", True)
        return cls("internal", "the worker could not compute this", False)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """See the module. Field order is part of the format: scripts compare the first two."""

    status: str
    state: State
    task_id: str
    model: str
    version: int
    """0 where a stock producer named none that exists."""
    alias: str | None
    method: str
    created_at: float
    """Unix seconds."""
    result: Any = None
    """Predictions, one per row; of a failure, the exception as Celery describes it."""
    traceback: None = None
    children: tuple[()] = ()
    date_done: str | None = None
    receipt: Receipt | None = None
    error: ErrorBody | None = None

    @classmethod
    def queued(cls, task_id: str, prediction: Prediction) -> "Record":
        """The record at acceptance."""
        shared = {f: getattr(prediction, f) for f in ("model", "version", "alias", "method")}
        return cls(
            status="PENDING",
            state="queued",
            task_id=task_id,
            created_at=prediction.created_at,
            **shared,
        )

    @classmethod
    def unannounced(cls, task_id: str, request: Any) -> "Record":
        """The record of a message that a stock producer pushed past our front end."""
        given = getattr(request, "kwargs", None) or {}
        name, _, version = str(given.get("model", "unknown")).partition(":")
        return cls(
            status="PENDING",
            state="queued",
            task_id=task_id,
            model=name,
            version=int(version) if version.isdecimal() else 0,
            alias=None,
            method=str(given.get("method", "predict")),
            created_at=time.time(),
        )

    @property
    def is_terminal(self) -> bool:
        """Whether this is an outcome, which never changes again."""
        return self.state in TERMINAL
