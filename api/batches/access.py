"""What a caller learns of a batch job, and may do with it."""

from flask import request
from msgspec.structs import replace

from api.http.rights import Rights
from tasks.jobs.gateway import JobGateway
from tasks.jobs.job import Job, JobError
from telemetry.errors import Forbidden

WITHHELD = "this job was ordered with the local key: present it to read why"


class JobAccess:
    """Of the caller of this request."""

    def __init__(self, jobs: JobGateway, rights: Rights) -> None:
        self._jobs, self._rights = jobs, rights

    @property
    def everywhere(self) -> bool:
        """Whether the caller may name what the user of the server may read and write."""
        return self._rights.caller(request).may("places")

    def permitted(self, job_id: str) -> Job:
        """A job whose files the caller may have, and which the caller may stop.

        Raises `Forbidden`, and as `Jobs.get`.
        """
        job = self._jobs.get(job_id)
        if job.restricted and not self.everywhere:
            raise Forbidden(
                f"job {job_id} was ordered with the local key: present it, "
                "as `Authorization: Bearer <key>`"
            )
        return job

    def shown(self, job: Job) -> Job:
        """The job without what its messages quote of files that the caller may not read."""
        if not job.restricted or self.everywhere:
            return job
        error = job.error and JobError(job.error.code, WITHHELD, job.error.line)
        return replace(job, error=error, report=None)
