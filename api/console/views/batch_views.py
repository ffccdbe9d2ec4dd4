"""The pages of batch jobs: the list, one job with its chunks, what can be done with it."""

from flask import Blueprint, Response

from api.batches.access import JobAccess
from api.batches.output_routes import OutputViews
from api.console.notices import see_other
from api.console.pages.batches import first_errors, grid
from api.console.rendering import Pages
from tasks.jobs.gateway import JobGateway
from tasks.jobs.job import COMPLETED, STOPPED

MOST_JOBS = 50
"""Jobs in the list, the newest ones."""
JOB_PAGES = "/console/batches"
"""The path of the list of jobs; those of all pages and downloads of a job begin with it."""


class BatchPages:
    """The views. Jobs that name paths of the server need a session."""

    def __init__(self, jobs: JobGateway, pages: Pages, slots: int) -> None:
        """``slots``: downloads at a time."""
        self._jobs, self._pages = jobs, pages
        self._access = JobAccess(jobs)
        self._outputs = OutputViews(jobs, self._access, slots)

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        routes.get("/batches")(self.batches)
        routes.get("/batches/<id>")(self.batch)
        routes.get("/batches/<id>/output")(self._outputs.output)
        routes.get("/batches/<id>/errors")(self._outputs.errors)
        routes.post("/batches/<id>/cancel")(self.cancel_job)
        routes.post("/batches/<id>/resume")(self.resume_job)
        routes.post("/batches/<id>/delete")(self.delete_job)

    def batches(self) -> Response:
        """The newest jobs."""
        jobs = self._access.latest(MOST_JOBS)
        return self._pages.show("batches.html", "Batch jobs", jobs=jobs, most=MOST_JOBS)

    def batch(self, id: str) -> Response:
        """One job; raises `JobNotFound` or `ResultGone`."""
        job = self._access.redacted(self._access.get(id))
        is_open = not job.restricted or self._access.may_use_any_path
        cells = grid(job.chunks or 0, self._jobs.parts(id), self._jobs.running_chunks(id))
        return self._pages.show(
            "batch.html",
            "Batch job",
            job=job,
            cells=cells,
            is_open=is_open,
            errors=first_errors(self._jobs.errors(id)) if is_open and job.counts.failed else [],
            has_output=job.status in COMPLETED and job.chunks is not None,
            may_resume=job.status in STOPPED,
        )

    def cancel_job(self, id: str) -> Response:
        """Cancel a job."""
        self._jobs.cancel(self._access.permitted(id).id)
        return see_other(f"{JOB_PAGES}/{id}", "job-cancelled")

    def resume_job(self, id: str) -> Response:
        """Resume a stopped job; raises `JobConflict`."""
        self._jobs.resume(self._access.permitted(id).id)
        return see_other(f"{JOB_PAGES}/{id}", "job-resumed")

    def delete_job(self, id: str) -> Response:
        """Delete an ended job; raises `JobConflict`."""
        self._jobs.delete(self._access.permitted(id).id)
        return see_other(JOB_PAGES, "job-deleted")
