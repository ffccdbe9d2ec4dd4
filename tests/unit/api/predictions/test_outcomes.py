"""The answer for each outcome of a prediction, and a problem's status of the table."""

from datetime import UTC, datetime

import msgspec
import pytest

from api.predictions.outcomes import outcome, pending_body, problem
from tasks.ledger.queue.queue_estimate import QueueEstimate
from tasks.messages import Prediction
from tasks.record import ErrorBody, Record
from telemetry.errors import (
    ArtifactMissing,
    InvalidFeatures,
    ModelError,
    ModelUnloadable,
    OutOfMemory,
    RegistryUnavailable,
    TimedOut,
    VersionNotFound,
    WorkerLost,
)

QUEUED = Record.queued(
    "an-id",
    Prediction(
        model="m", version=1, alias=None, method="predict", features=[[1.0]], created_at=1.0
    ),
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ModelError("no"), 422),
        (InvalidFeatures("no"), 422),
        (VersionNotFound("no"), 404),
        (ModelUnloadable("no"), 500),
        (ArtifactMissing("no"), 500),
        (RuntimeError("a secret"), 500),
        (RegistryUnavailable("no"), 503),
        (WorkerLost("no"), 503),
        (OutOfMemory("no"), 503),
        (TimedOut("no"), 504),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_failure_has_the_status_of_its_code(error: Exception, status: int) -> None:
    failed = QUEUED.failed(error, 1, "Traceback")
    told = problem(failed, debug=False)
    assert failed.error
    assert (told.status, told.code, told.detail) == (
        status,
        failed.error.code,
        failed.error.message,
    )
    assert (told.retryable, told.id) == (failed.error.retryable, "an-id")
    assert told.urls.result == "/predict/result/an-id"
    assert not told.traceback


def test_expired_or_cancelled_prediction_is_a_problem() -> None:
    expired, cancelled = (problem(r, debug=True) for r in (QUEUED.expired(), QUEUED.cancelled()))
    assert (expired.status, expired.code, expired.retryable) == (504, "expired", True)
    assert (cancelled.status, cancelled.code, cancelled.retryable) == (409, "cancelled", False)


def test_unknown_error_code_is_an_internal_error() -> None:
    error = ErrorBody("of_tomorrow", "no", True)
    failed = msgspec.structs.replace(QUEUED.failed(ModelError("no")), error=error)
    told = problem(failed, debug=False)
    assert (told.status, told.code, told.retryable) == (500, "of_tomorrow", True)


@pytest.mark.parametrize("debug", [True, False])
def test_traceback_is_included_only_where_permitted(debug: bool) -> None:
    failed = QUEUED.failed(ModelError("no"), 1, "Traceback")
    told = [problem(failed, debug=debug), outcome(failed, 60, debug=debug)]
    assert [one.traceback == "Traceback" for one in told] == [debug] * 2


@pytest.mark.parametrize(
    "seconds", [0.0, 1.0, 1764540000.123, 1764540000.9996, 1764540000.0009999999]
)
def test_times_are_those_of_iso_8601(seconds: float) -> None:
    record = msgspec.structs.replace(QUEUED, created_at=seconds)
    told = pending_body(record, 3600, QueueEstimate())
    for text, time in ((told.created_at, seconds), (told.expires_at, seconds + 3600)):
        assert text == datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
