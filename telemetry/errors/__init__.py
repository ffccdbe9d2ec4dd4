"""The tree of errors, whose stable codes appear in answers, outcomes and logs.

The docstring of a class is its default message.
`api/http/problems.py` maps the classes to HTTP statuses.
"""

from collections.abc import Iterator

from telemetry.errors.artifacts import (
    AliasMoved,
    AnswersDiffer,
    ArtifactMismatch,
    ArtifactMissing,
    ModelUnloadable,
    RegistryConflict,
    RegistryUnavailable,
    UntrustedArtifact,
)
from telemetry.errors.base import (
    Detail,
    PredictqError,
)
from telemetry.errors.callers import (
    AudienceMismatch,
    IssuerUnavailable,
    IssuerUnknown,
    KeyExpired,
    KeyInvalid,
    KeyMissing,
    KeyRevoked,
    SignatureInvalid,
    TokenEarly,
    TokenExpired,
    TokenInvalid,
    Unauthenticated,
)
from telemetry.errors.capacity import (
    Busy,
    DeploymentStopped,
    DiskFull,
    InFlightLimited,
    JobBytesQuota,
    OutcomeBytesQuota,
    QueuedRowsQuota,
    QueueFull,
    RateLimited,
    SubmissionUncertain,
    Unavailable,
    VersionNotReady,
    VersionPaused,
)
from telemetry.errors.jobs import (
    InputChanged,
    InputUnavailable,
    InputUnreadable,
    InvalidInput,
    JobConflict,
    JobFailed,
    OutputExists,
    OutputUnwritable,
    PlaceForbidden,
    TooManyFailures,
)
from telemetry.errors.predictions import (
    Cancelled,
    Expired,
    Lost,
    ModelError,
    OutcomeConflict,
    OutcomeTooLarge,
    OutOfMemory,
    TimedOut,
    WorkerLost,
)
from telemetry.errors.requests import (
    AliasNotFound,
    CrossSite,
    DeadLetterNotFound,
    DeploymentNotFound,
    Forbidden,
    HeadTooLarge,
    IdempotencyConflict,
    Invalid,
    InvalidFeatures,
    JobNotFound,
    KeyConflict,
    KeyNotFound,
    Malformed,
    Misdirected,
    ModelNotFound,
    NotFound,
    PredictionNotFound,
    ResultGone,
    TooLarge,
    UnknownMethod,
    UnsupportedMediaType,
    UnsupportedMethod,
    VersionNotFound,
)

__all__ = [
    "AliasMoved",
    "AliasNotFound",
    "AnswersDiffer",
    "ArtifactMismatch",
    "ArtifactMissing",
    "AudienceMismatch",
    "Busy",
    "Cancelled",
    "CrossSite",
    "DeadLetterNotFound",
    "DeploymentNotFound",
    "DeploymentStopped",
    "Detail",
    "DiskFull",
    "Expired",
    "Forbidden",
    "HeadTooLarge",
    "IdempotencyConflict",
    "InFlightLimited",
    "InputChanged",
    "InputUnavailable",
    "InputUnreadable",
    "Invalid",
    "InvalidFeatures",
    "InvalidInput",
    "IssuerUnavailable",
    "IssuerUnknown",
    "JobBytesQuota",
    "JobConflict",
    "JobFailed",
    "JobNotFound",
    "KeyConflict",
    "KeyExpired",
    "KeyInvalid",
    "KeyMissing",
    "KeyNotFound",
    "KeyRevoked",
    "Lost",
    "Malformed",
    "Misdirected",
    "ModelError",
    "ModelNotFound",
    "ModelUnloadable",
    "NotFound",
    "OutOfMemory",
    "OutcomeBytesQuota",
    "OutcomeConflict",
    "OutcomeTooLarge",
    "OutputExists",
    "OutputUnwritable",
    "PlaceForbidden",
    "PredictionNotFound",
    "PredictqError",
    "QueueFull",
    "QueuedRowsQuota",
    "RateLimited",
    "RegistryConflict",
    "RegistryUnavailable",
    "ResultGone",
    "SignatureInvalid",
    "SubmissionUncertain",
    "TimedOut",
    "TokenEarly",
    "TokenExpired",
    "TokenInvalid",
    "TooLarge",
    "TooManyFailures",
    "Unauthenticated",
    "Unavailable",
    "UnknownMethod",
    "UnsupportedMediaType",
    "UnsupportedMethod",
    "UntrustedArtifact",
    "VersionNotFound",
    "VersionNotReady",
    "VersionPaused",
    "WorkerLost",
    "kind_of",
]


def kind_of(code: str) -> type[PredictqError]:
    """The class of a code; `PredictqError` for an unknown code, such as one of a newer release."""
    return _KINDS.get(code, PredictqError)


def _tree(kind: type[PredictqError]) -> Iterator[type[PredictqError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


_KINDS = {kind.code: kind for kind in _tree(PredictqError)}
