"""Errors of a server that cannot accept a request now; the same request may succeed later."""

from telemetry.errors.base import PredictqError


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


class DiskFull(PredictqError):
    """There is no room on the disk for this file."""

    code = "disk_full"
    retryable = True
