"""Access control for batch jobs: jobs requested with the local key are restricted."""

from flask import request
from msgspec.structs import replace

from api.http.rights import CallerSource
from tasks.jobs.gateway import JobGateway
from tasks.jobs.job import Job, JobError
from telemetry.errors import Forbidden

REDACTED_REASON = "this job was requested with the local key: send the key to see the error"


class JobAccess:
    """Decides what the caller of the current request may see and do."""

    def __init__(self, jobs: JobGateway, rights: CallerSource) -> None:
        self._jobs, self._rights = jobs, rights

    @property
    def may_use_any_path(self) -> bool:
        """Whether the caller may name any path that the server's user can read or write."""
        return self._rights.caller(request).may("any_path")

    def permitted(self, job_id: str) -> Job:
        """Return the job if the caller may fetch its files and change it.

        Raises `Forbidden`, and what `JobGateway.get` raises.
        """
        job = self._jobs.get(job_id)
        if job.restricted and not self.may_use_any_path:
            raise Forbidden(
                f"job {job_id} was requested with the local key: send the key, "
                "as `Authorization: Bearer <key>`"
            )
        return job

    def redacted(self, job: Job) -> Job:
        """Return the job, without error texts and report if the caller may not read its files."""
        if not job.restricted or self.may_use_any_path:
            return job
        error = job.error and JobError(job.error.code, REDACTED_REASON, job.error.line)
        return replace(job, error=error, report=None)
