"""Errors of a server that cannot accept a request now; the same request may succeed later."""

import errno

from telemetry.errors.base import PredictqError


class Unavailable(PredictqError):
    """Redis cannot be reached."""

    code = "unavailable"
    retryable = True


class SubmissionUncertain(Unavailable):
    """Redis did not answer, so the prediction may or may not have been accepted."""

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


class DeploymentStopped(Unavailable):
    """The deployment is stopped and accepts no requests."""

    code = "deployment_stopped"


class RateLimited(PredictqError):
    """The key has used up its limit."""

    code = "rate_limited"
    retryable = True


class InFlightLimited(RateLimited):
    """As many predictions of the key have no outcome as may."""

    code = "in_flight_limited"


class QueuedRowsQuota(RateLimited):
    """As many rows of the tenant wait as may."""

    code = "quota_queued_rows"


class OutcomeBytesQuota(RateLimited):
    """The outcomes of the tenant take as many bytes as they may."""

    code = "quota_outcome_bytes"


class JobBytesQuota(RateLimited):
    """The files of the tenant's batch jobs take as many bytes as they may."""

    code = "quota_job_bytes"


class Busy(Unavailable):
    """The server is handling too many large requests or answers; try again later."""

    code = "busy"


class DiskFull(PredictqError):
    """The disk has no space for this file."""

    code = "disk_full"
    retryable = True

    @staticmethod
    def is_told_by(error: OSError) -> bool:
        """Whether the operating system says that a disk is full, or a quota used up."""
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
