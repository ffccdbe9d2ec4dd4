"""Access control for batch jobs: jobs that name any path are restricted."""

from itertools import repeat

from flask import request
from msgspec.structs import replace

from api.callers.current import current_caller, require_scope
from tasks.jobs.gateway import JobGateway
from tasks.jobs.job import Job, JobError, Status
from telemetry.errors import JobNotFound

LATER_PAGE = 1000
"""Jobs that are read at a time behind those of other tenants, however few are asked for."""
MAX_LATER_PAGES = 10
"""Such pages that are read to fill one with the jobs that the caller sees."""
REDACTED_REASON = "this job names paths of the server: the scope `files` shows the error"


class JobAccess:
    """Decides what the caller of the current request may see and do."""

    def __init__(self, jobs: JobGateway) -> None:
        self._jobs = jobs

    @property
    def may_use_any_path(self) -> bool:
        """Whether the caller may name any path that the server's user can read or write."""
        return current_caller(request).may("files")

    def get(self, job_id: str) -> Job:
        """The job, if the caller sees it; raises as `JobGateway.get`."""
        job = self._jobs.get(job_id)
        if not job.is_seen_by(current_caller(request)):
            raise JobNotFound(f"there is no batch job {job_id}")
        return job

    def latest(
        self, many: int, after: str | None = None, status: Status | None = None
    ) -> list[Job]:
        """As `JobGateway.latest`, of the jobs that the caller sees."""
        caller, found = current_caller(request), list[Job]()
        for size in (many, *repeat(LATER_PAGE, MAX_LATER_PAGES)):
            page = self._jobs.latest(size, after, status)
            found += [job for job in page if job.is_seen_by(caller)]
            if len(found) >= many or len(page) < size:
                break
            after = page[-1].id
        return found[:many]

    def permitted(self, job_id: str) -> Job:
        """Return the job if the caller may fetch its files and change it.

        Raises as `require_scope`, and what `get` raises.
        """
        job = self.get(job_id)
        if job.restricted:
            require_scope(current_caller(request), "files")
        return job

    def redacted(self, job: Job) -> Job:
        """Return the job, without error texts and report if the caller may not read its files."""
        if not job.restricted or self.may_use_any_path:
            return job
        error = job.error and JobError(job.error.code, REDACTED_REASON, job.error.line)
        return replace(job, error=error, report=None)
