"""A prediction in an answer: pending, an outcome, or a problem."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from api.http.problems import Problem, status_of
from api.http.urls import Urls
from tasks.ledger.queue.queue_estimate import QueueEstimate, WaitingFor
from tasks.record import ErrorBody, Receipt, Record, State
from telemetry.errors import Cancelled, Expired, PredictqError, TimedOut, kind_of

ERROR_OF_STATE = {"expired": Expired, "cancelled": Cancelled}


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction that has no outcome yet."""

    id: str
    task_id: str
    """The Celery task id, as Flower shows it."""
    status: State
    model: str
    version: int
    created_at: str
    expires_at: str
    """From this time on a look-up may be answered with 410."""
    urls: Urls
    queue_position: int | UnsetType = UNSET
    """Position in the queue: 1 is taken next, 0 was taken and is about to start."""
    eta_seconds: float | UnsetType = UNSET
    """Estimated seconds until the outcome; left out while unknown."""
    waiting_for: WaitingFor | UnsetType = UNSET
    """The reason for which a queued prediction waits."""


class Outcome(Pending, frozen=True, kw_only=True, omit_defaults=True):
    """The outcome of a prediction: its predictions, or why there are none."""

    predictions: list[Any] | UnsetType = UNSET
    """One per row, in order; only if it succeeded."""
    receipt: Receipt | UnsetType = UNSET
    error: ErrorBody | UnsetType = UNSET
    traceback: str | UnsetType = UNSET
    """Traceback of the model's exception; only with `debug=true`."""


def pending_body(record: Record, result_ttl: int, estimate: QueueEstimate) -> Pending:
    """The answer without predictions or error: not finished, cancelled or expired."""
    return Pending(**_shared(record, result_ttl), **msgspec.structs.asdict(estimate))


def outcome(record: Record, result_ttl: int, *, debug: bool) -> Outcome:
    """The answer for a prediction that succeeded or failed."""
    shared = _shared(record, result_ttl)
    if record.receipt is not None:
        return Outcome(**shared, predictions=record.result, receipt=record.receipt)
    return Outcome(**shared, error=record.error or UNSET, traceback=_traceback(record, debug))


def problem(record: Record, *, debug: bool) -> Problem:
    """The problem for a caller that waited for a prediction which did not succeed."""
    # A record that was cancelled or has expired has no error of its own.
    error = record.error or ErrorBody.of(ERROR_OF_STATE.get(record.state, PredictqError)())
    status = status_of(kind_of(error.code))
    return Problem(
        title=status.phrase,
        status=status,
        detail=error.message,
        code=error.code,
        retryable=error.retryable,
        id=record.task_id,
        urls=Urls.of(record.task_id),
        traceback=_traceback(record, debug),
    )


def no_outcome_yet(task_id: str) -> TimedOut:
    """The error for a caller that cannot be told 202, and has waited as long as it may."""
    msg = f"there is no outcome yet: GET {Urls.of(task_id).result} has it later"
    return TimedOut(msg, id=task_id)


def _shared(record: Record, result_ttl: int) -> dict[str, Any]:
    return {
        "id": record.task_id,
        "task_id": record.task_id,
        "status": record.state,
        "model": record.model,
        "version": record.version,
        "created_at": _rfc3339(record.created_at),
        # The earliest that it can be: the time to live begins with the outcome, not the submission.
        "expires_at": _rfc3339(record.created_at + result_ttl),
        "urls": Urls.of(record.task_id),
    }


def _traceback(record: Record, debug: bool) -> str | UnsetType:
    return (debug and record.traceback) or UNSET


def _rfc3339(seconds: float) -> str:
    # In whole microseconds: formatting a fraction by itself could round it up to 1.000.
    whole, microseconds = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{_second(whole)}.{microseconds // 1000:03d}+00:00"


@lru_cache(64)
def _second(seconds: int) -> str:
    """A second as text, which is most of the work; many predictions share one."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
