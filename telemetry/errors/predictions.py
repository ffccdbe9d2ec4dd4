"""Errors that a prediction ends with, and that an outcome in the wrong state causes."""

from telemetry.errors.base import PredictqError
from telemetry.errors.requests import TooLarge


class ModelError(PredictqError):
    """The model raised an error for these rows."""

    code = "model_error"


class OutcomeTooLarge(TooLarge):
    """The predictions have more bytes than one outcome may have."""

    code = "outcome_too_large"


class OutcomeConflict(PredictqError):
    """The prediction has not failed, so it cannot be replayed."""

    code = "outcome_conflict"


class Lost(PredictqError):
    """The prediction was accepted, but its record is missing; this is a defect of the server."""

    code = "lost"


class WorkerLost(PredictqError):
    """The process that computed this was killed or crashed in every attempt."""

    code = "worker_lost"
    infrastructure = retryable = retried = True


class OutOfMemory(PredictqError):
    """There was not enough memory to compute this."""

    code = "out_of_memory"
    infrastructure = retryable = retried = True


class TimedOut(PredictqError):
    """The computation exceeded its time limit."""

    code = "timed_out"


class Expired(PredictqError):
    """The prediction exceeded its time limit in the queue."""

    code = "expired"
    retryable = True


class Cancelled(PredictqError):
    """The prediction was cancelled."""

    code = "cancelled"
