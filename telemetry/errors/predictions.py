"""Errors that a prediction ends with, and that an outcome in the wrong state causes."""

from telemetry.errors.base import PredictqError
from telemetry.errors.requests import TooLarge


class ModelError(PredictqError):
    """The model raised an error for these rows."""

    code = "model_error"


class OutcomeTooLarge(TooLarge):
    """The predictions take more bytes than are kept of one outcome."""

    code = "outcome_too_large"


class OutcomeConflict(PredictqError):
    """The prediction has an outcome that is no failure, or is under way."""

    code = "outcome_conflict"


class Lost(PredictqError):
    """The prediction was accepted and is gone; that must never happen."""

    code = "lost"


class WorkerLost(PredictqError):
    """The process that computed this died, each time it was tried."""

    code = "worker_lost"
    infrastructure = retryable = retried = True


class OutOfMemory(PredictqError):
    """There was not enough memory to compute this."""

    code = "out_of_memory"
    infrastructure = retryable = retried = True


class TimedOut(PredictqError):
    """The computation took longer than it may."""

    code = "timed_out"


class Expired(PredictqError):
    """The prediction waited in the queue for longer than it may."""

    code = "expired"
    retryable = True


class Cancelled(PredictqError):
    """Someone cancelled the prediction."""

    code = "cancelled"
