"""The record of one prediction: what Redis knows of it, from acceptance until it expires.

It has the fields that a stock Celery result backend stores (``status``, ``result``, …) and our own
beside them, so that a stock ``AsyncResult`` reads it. The scripts match the first two fields.
"""

import time
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from tasks.callers.caller import DEFAULT_TENANT, Caller
from tasks.messages import PREDICT_QUEUE, Arm, Call, Prediction
from tasks.wire import encode_finite
from telemetry.errors import PredictqError

State = Literal["queued", "running", "retrying", "succeeded", "failed", "cancelled", "expired"]
CELERY_STATUS: dict[State, str] = {
    "queued": "PENDING",
    "running": "STARTED",
    "retrying": "RETRY",
    "succeeded": "SUCCESS",
    "failed": "FAILURE",
    "cancelled": "REVOKED",
    "expired": "REVOKED",
}
_OF_OUTCOMES = b',"traceback":null,"children":[],"date_done":null,"receipt":null,"error":null'
"""Fields that only an outcome fills, as the JSON of an open record has them."""
TERMINAL: frozenset[State] = frozenset({"succeeded", "failed", "cancelled", "expired"})


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an outcome that says which version answered, and how long it took."""

    model: str
    version: int
    sha256: str
    alias: str | None
    attempt: int
    """1 for the first computation."""
    queue_ms: float
    """Milliseconds from acceptance to the start of the computation."""
    compute_ms: float
    """Milliseconds in the model's own method, for the whole microbatch."""
    batch_size: int
    """Rows of the microbatch: those in the same model call."""
    runtime: str
    """Library and version that computed it, such as ``scikit-learn 1.9.0``."""
    environment: str | msgspec.UnsetType = msgspec.UNSET
    """The environment of the deployment that computed it; left out for the shared workers."""
    cached: bool | msgspec.UnsetType = msgspec.UNSET
    """True if it was computed for another prediction with the same rows. Then `queue_ms` is the
    time until the answer was there, and what follows it is of that computation."""
    tenant: str | msgspec.UnsetType = msgspec.UNSET
    """Whose prediction it was; left out for the default tenant."""


class ErrorBody(msgspec.Struct, frozen=True):
    """Why a prediction failed."""

    code: str
    message: str
    retryable: bool
    attempt: int = 0
    """The number of the attempt that failed; 0 where none was started."""

    @classmethod
    def of(cls, error: BaseException, attempt: int = 0) -> "ErrorBody":
        """The error as callers may see it; the text of foreign exceptions stays in the log."""
        if isinstance(error, PredictqError):
            details = "; ".join(detail.msg for detail in error.errors)
            return cls(error.code, details or error.message, error.retryable, attempt)
        return cls("internal", "the worker could not compute this", False, attempt)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """See the module. The field order is part of the format: scripts compare the first two."""

    status: str
    state: State
    task_id: str
    model: str
    version: int
    """0 where the message of a stock producer named no existing version."""
    alias: str | None
    method: str
    created_at: float
    """Unix seconds."""
    result: Any = None
    """Predictions, one per row; for a failure, the exception in Celery's form."""
    traceback: str | None = None
    """Traceback of a failure, bounded in length; shown only to callers with the local key."""
    children: tuple[()] = ()
    date_done: str | None = None
    receipt: Receipt | None = None
    error: ErrorBody | None = None
    queue_deadline: float | None = None
    """Unix seconds after which no worker starts it."""
    number: int | msgspec.UnsetType = msgspec.UNSET
    """Its number among all messages that ever entered its queue; set by accept.lua."""
    queue: str | msgspec.UnsetType = msgspec.UNSET
    """The queue of the deployment that was to compute it; unset for the one that most share."""
    arm: Arm | msgspec.UnsetType = msgspec.UNSET
    """Unset unless the alias was split at submission."""
    tenant: str | msgspec.UnsetType = msgspec.UNSET
    """Whose it is; unset for the default tenant."""
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    """Context of the span that sent it, if it is sampled. In an answer that was reused, it is that
    of the prediction that was computed."""

    @classmethod
    def queued(cls, task_id: str, prediction: Prediction) -> "Record":
        """The record of a prediction at acceptance."""
        return cls(
            status="PENDING",
            state="queued",
            task_id=task_id,
            model=prediction.model,
            version=prediction.version,
            alias=prediction.alias,
            method=prediction.method,
            created_at=prediction.created_at,
            queue_deadline=prediction.queue_deadline,
            queue=msgspec.UNSET if prediction.queue == PREDICT_QUEUE else prediction.queue,
            arm=prediction.arm or msgspec.UNSET,
            tenant=_told(prediction.tenant),
            traceparent=prediction.sending.traceparent if prediction.sending else msgspec.UNSET,
        )

    @classmethod
    def read(cls, task_id: str, call: Call | None, traceparent: str = "") -> "Record":
        """A record from a message that may not have passed the front end; no call: unreadable.

        ``traceparent``: of the message, if it is sampled.
        """
        name, _, version = (call.model if call else "unknown").partition(":")
        return cls(
            status="PENDING",
            state="queued",
            task_id=task_id,
            model=name,
            version=int(version) if version.isdecimal() else 0,
            alias=call.alias if call else None,
            method=call.method if call else "predict",
            created_at=call.created_at if call and call.created_at else time.time(),
            arm=(call and call.arm) or msgspec.UNSET,
            tenant=_told(call.tenant) if call else msgspec.UNSET,
            traceparent=traceparent or msgspec.UNSET,
        )

    @property
    def open_text(self) -> bytes:
        """The JSON of an open record, without the fields that only an outcome fills.

        `result` stays: a stock result backend needs it of a prediction that is retried.
        """
        return encode_finite(self).replace(_OF_OUTCOMES, b"", 1)

    @property
    def is_terminal(self) -> bool:
        """Whether this is an outcome, which never changes again."""
        return self.state in TERMINAL

    @property
    def is_overdue(self) -> bool:
        """Whether its queue deadline has passed by this host's clock; Redis has the last word."""
        deadline = self.queue_deadline
        return deadline is not None and self.is_in_queue and deadline < time.time()

    @property
    def is_in_queue(self) -> bool:
        """Whether it waits for a worker."""
        return self.state in ("queued", "retrying")

    def is_seen_by(self, caller: Caller) -> bool:
        """Whether the caller may know of it: by its tenant, and by its model."""
        is_theirs = caller.is_everywhere or (self.tenant or DEFAULT_TENANT) == caller.tenant
        return is_theirs and caller.sees(self.model)

    @property
    def reference(self) -> str:
        """``model:version``."""
        return f"{self.model}:{self.version}"

    def succeeded(self, predictions: list[Any], receipt: Receipt | None) -> "Record":
        """The outcome of a success: one prediction per row, in order."""
        return self._settled("succeeded", result=predictions, receipt=receipt)

    def failed(
        self, error: BaseException, attempt: int = 0, traceback: str | None = None
    ) -> "Record":
        """The outcome of a failure in this attempt (0: before any attempt)."""
        body, kind = ErrorBody.of(error, attempt), type(error)
        result = _celery_exception(kind.__name__, body.message, kind.__module__)
        return self._settled("failed", result=result, error=body, traceback=traceback)

    def cancelled(self) -> "Record":
        """The outcome of a prediction that its caller cancelled."""
        return self._settled("cancelled", result=_revoked("cancelled"))

    def expired(self) -> "Record":
        """The outcome of a prediction whose queue deadline passed before it started."""
        return self._settled("expired", result=_revoked("expired"))

    def _settled(self, state: State, **fields: Any) -> "Record":
        return msgspec.structs.replace(
            self,
            status=CELERY_STATUS[state],
            state=state,
            date_done=datetime.now(UTC).isoformat(),
            **fields,
        )


def _told(tenant: str) -> str | msgspec.UnsetType:
    return msgspec.UNSET if tenant == DEFAULT_TENANT else tenant


def _revoked(reason: str) -> dict[str, Any]:
    return _celery_exception("TaskRevokedError", reason, "celery.exceptions")


def _celery_exception(kind: str, message: str, module: str) -> dict[str, Any]:
    return {"exc_type": kind, "exc_message": [message], "exc_module": module}
