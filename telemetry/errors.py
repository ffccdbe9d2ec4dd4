"""The hierarchy of errors. Their stable codes appear in answers, outcomes and logs.

The docstring of a class is its default message.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import msgspec


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """One error in the input."""

    loc: tuple[str | int, ...]
    """Path from the root of the body, e.g. ``("features", 3, "age")``."""
    msg: str
    row: int | None = None
    """Index of the row from 0, if the error lies in one row."""


class PredictqError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later."""
    retried: ClassVar[bool] = False
    """Whether workers retry before they fail a prediction with this error."""
    infrastructure: ClassVar[bool] = False
    """Whether the model or its process is at fault: the prediction leaves a dead letter, and counts
    as a failure of its version."""

    def __init__(self, message: str = "", *, errors: Sequence[Detail] = (), **extra: Any) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.errors, self.extra = tuple(errors), extra
        super().__init__(self.message)


class Malformed(PredictqError):
    """The body is not JSON."""

    code = "malformed"


class Invalid(PredictqError):
    """The request is well-formed but wrong."""

    code = "invalid"


class InvalidFeatures(Invalid):
    """The features do not match the model's signature."""

    code = "invalid_features"


class PlaceForbidden(Invalid):
    """The file lies outside the places that jobs may use."""

    code = "place_forbidden"


class InvalidInput(Invalid):
    """The input file cannot be scored; ``line`` says where, if it is one place."""

    code = "invalid_input"


class InputChanged(Invalid):
    """The input file is not the one that was accepted: it has changed since."""

    code = "input_changed"


class UnsupportedMethod(Invalid):
    """The model does not have this method."""

    code = "unsupported_method"


class IdempotencyConflict(Invalid):
    """The idempotency key was used with another payload."""

    code = "idempotency_conflict"


class TooLarge(PredictqError):
    """The request is larger than this server accepts."""

    code = "too_large"


class OutcomeTooLarge(TooLarge):
    """The predictions take more bytes than are kept of one outcome."""

    code = "outcome_too_large"


class DiskFull(PredictqError):
    """There is no room on the disk for this file."""

    code = "disk_full"
    retryable = True


class UnsupportedMediaType(PredictqError):
    """The body must be application/json."""

    code = "unsupported_media_type"


class HeadTooLarge(PredictqError):
    """The path and query, or a header field, is longer than this server accepts."""

    code = "head_too_large"


class UnknownMethod(PredictqError):
    """There is no such HTTP method; their names are in capitals."""

    code = "unknown_method"


class Misdirected(PredictqError):
    """The Host header names no host of this server; list further names in PREDICTQ_HOSTS."""

    code = "misdirected"


class CrossSite(PredictqError):
    """A page of another site sent this through a browser; list it in PREDICTQ_HOSTS to let it."""

    code = "cross_site"


class Forbidden(PredictqError):
    """The local key is required for this."""

    code = "forbidden"


class NotFound(PredictqError):
    """There is no such thing."""

    code = "not_found"


class ModelNotFound(NotFound):
    """There is no such model."""

    code = "model_not_found"


class VersionNotFound(NotFound):
    """The model has no such version."""

    code = "version_not_found"


class AliasNotFound(NotFound):
    """The model has no such alias."""

    code = "alias_not_found"


class PredictionNotFound(NotFound):
    """The id was never given out."""

    code = "prediction_not_found"


class JobNotFound(NotFound):
    """There is no such batch job."""

    code = "job_not_found"


class DeadLetterNotFound(NotFound):
    """There is no such dead letter."""

    code = "dead_letter_not_found"


class OutcomeConflict(PredictqError):
    """The prediction has an outcome that is no failure, or is under way."""

    code = "outcome_conflict"


class JobConflict(PredictqError):
    """The batch job is in no state for this."""

    code = "job_conflict"


class OutputExists(PredictqError):
    """Something lies at the output's place already."""

    code = "output_exists"


class JobFailed(PredictqError):
    """The batch job cannot go on."""

    code = "job_failed"


class InputUnreadable(JobFailed):
    """The input file cannot be opened or read."""

    code = "input_unreadable"


class InputUnavailable(InputUnreadable):
    """The place where the input lies does not answer."""

    code = "input_unavailable"
    retryable = retried = True


class OutputUnwritable(JobFailed):
    """The output cannot be written."""

    code = "output_unwritable"


class TooManyFailures(JobFailed):
    """More rows failed than the job allows."""

    code = "too_many_failures"


class ResultGone(PredictqError):
    """The outcome of this prediction is older than its time to live."""

    code = "result_gone"


class Lost(PredictqError):
    """The prediction was accepted and is gone; that must never happen."""

    code = "lost"


class Unavailable(PredictqError):
    """The broker cannot be reached."""

    code = "unavailable"
    retryable = True


class SubmissionUncertain(Unavailable):
    """The broker fell silent: nobody knows yet whether it accepted the prediction."""

    code = "submission_uncertain"


class QueueFull(Unavailable):
    """The queue is full."""

    code = "queue_full"


class VersionPaused(Unavailable):
    """The version is paused."""

    code = "version_paused"


class VersionNotReady(Unavailable):
    """The version has not passed its gate."""

    code = "version_not_ready"


class Busy(Unavailable):
    """Too much is being sent at this moment."""

    code = "busy"


class ModelError(PredictqError):
    """The model raised an error for these rows."""

    code = "model_error"


class ModelUnloadable(PredictqError):
    """The model's artifact cannot be loaded."""

    code = "model_unloadable"
    infrastructure = retried = True


class ArtifactMissing(ModelUnloadable):
    """The model's artifact is not there."""

    code = "artifact_missing"
    retried = False


class ArtifactMismatch(ModelUnloadable):
    """The artifact's bytes are not those that were registered."""

    code = "artifact_mismatch"


class UntrustedArtifact(ModelUnloadable):
    """The artifact needs code to run at load, and it was not trusted at registration."""

    code = "untrusted_artifact"
    retried = False


class RegistryUnavailable(PredictqError):
    """The worker that took this cannot read the registry."""

    code = "registry_unavailable"
    infrastructure = retryable = retried = True


class AnswersDiffer(PredictqError):
    """What is served is not what the model answers by itself."""

    code = "answers_differ"


class RegistryConflict(PredictqError):
    """The registry holds something else under this name already."""

    code = "registry_conflict"


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


def kind_of(code: str) -> type[PredictqError]:
    """The class of a code; `PredictqError` for an unknown code, as of a newer release."""
    return _KINDS.get(code, PredictqError)


def _tree(kind: type[PredictqError]) -> Iterator[type[PredictqError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


_KINDS = {kind.code: kind for kind in _tree(PredictqError)}
