"""How a prediction is told: as it stands, or as the problem that it ended with."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from api.http.problems import Problem, status_of
from api.http.urls import Urls
from tasks.queue_estimate import QueueEstimate, WaitingFor
from tasks.record import ErrorBody, Receipt, Record, State
from telemetry.errors import Cancelled, Expired, PredictqError, kind_of

ENDINGS = {"expired": Expired, "cancelled": Cancelled}


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction that has no outcome yet."""

    id: str
    task_id: str
    """The Celery task id, the one that Flower shows."""
    status: State
    model: str
    version: int
    created_at: str
    expires_at: str
    """From here on the id may be answered with 410."""
    urls: Urls
    queue_position: int | UnsetType = UNSET
    """While it is queued: 1 is the next to be taken, 0 is taken and about to begin."""
    eta_seconds: float | UnsetType = UNSET
    """Until its outcome, by the pace of the workers; left out while that is not known."""
    waiting_for: WaitingFor | UnsetType = UNSET
    """While it is queued."""


class Outcome(Pending, frozen=True, kw_only=True, omit_defaults=True):
    """A prediction's terminal answer."""

    predictions: list[Any] | UnsetType = UNSET
    """One per row, in order, when it succeeded."""
    receipt: Receipt | UnsetType = UNSET
    error: ErrorBody | UnsetType = UNSET
    traceback: str | UnsetType = UNSET
    """Of what the model raised; only with `debug=true`."""


def pending(record: Record, result_ttl: int, outlook: QueueEstimate) -> Pending:
    """One without an outcome; also one that was cancelled or expired, which says no more."""
    return Pending(**_shared(record, result_ttl), **msgspec.structs.asdict(outlook))


def outcome(record: Record, result_ttl: int, *, debug: bool) -> Outcome:
    """One that was computed, or could not be."""
    shared = _shared(record, result_ttl)
    if record.receipt is not None:
        return Outcome(**shared, predictions=record.result, receipt=record.receipt)
    return Outcome(**shared, error=record.error or UNSET, traceback=_traceback(record, debug))


def problem(record: Record, *, debug: bool) -> Problem:
    """The problem for a caller that waited for a prediction which ended without an answer."""
    error = record.error or ErrorBody.of(ENDINGS.get(record.state, PredictqError)())
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


def _shared(record: Record, result_ttl: int) -> dict[str, Any]:
    return {
        "id": record.task_id,
        "task_id": record.task_id,
        "status": record.state,
        "model": record.model,
        "version": record.version,
        "created_at": _rfc3339(record.created_at),
        "expires_at": _rfc3339(record.created_at + result_ttl),
        "urls": Urls.of(record.task_id),
    }


def _traceback(record: Record, debug: bool) -> str | UnsetType:
    return (debug and record.traceback) or UNSET


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
