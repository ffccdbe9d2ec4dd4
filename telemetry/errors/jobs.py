"""Errors of batch jobs and of their files."""

from telemetry.errors.base import PredictqError
from telemetry.errors.requests import Invalid


class PlaceForbidden(Invalid):
    """The file is outside the allowed paths."""

    code = "place_forbidden"


class InvalidInput(Invalid):
    """The input file cannot be scored; ``line`` says where, if it is one place."""

    code = "invalid_input"


class InputChanged(Invalid):
    """The input file is not the one that was accepted: it has changed since."""

    code = "input_changed"


class JobConflict(PredictqError):
    """The status of the batch job does not allow this."""

    code = "job_conflict"


class OutputExists(PredictqError):
    """The output already exists."""

    code = "output_exists"


class JobFailed(PredictqError):
    """The batch job cannot continue."""

    code = "job_failed"


class InputUnreadable(JobFailed):
    """The input file cannot be opened or read."""

    code = "input_unreadable"


class InputUnavailable(InputUnreadable):
    """The server that stores the input does not answer."""

    code = "input_unavailable"
    retryable = retried = True


class OutputUnwritable(JobFailed):
    """The output cannot be written."""

    code = "output_unwritable"


class TooManyFailures(JobFailed):
    """More rows failed than the job allows."""

    code = "too_many_failures"
