"""A batch job as it is answered: what the gateway says of it, and where to go from there."""

import msgspec
from flask import Response
from msgspec.structs import replace

from api.http.responses import answer
from tasks.jobs.job import Job

ROUTE = "/predict/batch"


class JobUrls(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go from here, as paths; clients follow these and build none."""

    self: str
    """GET: the job."""
    output: str
    """GET, once it has completed."""
    errors: str
    """GET: a line of NDJSON for each row that failed so far."""
    events: str
    """GET: server-sent events."""
    cancel: str
    """DELETE."""
    resume: str
    """POST, where it failed, was cancelled or expired."""


class BatchJob(Job, frozen=True, kw_only=True):
    """A batch job; times are Unix seconds, by Redis's clock."""

    urls: JobUrls


class BatchJobs(msgspec.Struct, frozen=True):
    """Batch jobs, the newest first."""

    data: list[BatchJob]
    has_more: bool
    """Whether there are older ones; `after` with the last id gives them."""


def view(job: Job) -> BatchJob:
    """The job with its urls."""
    path = path_of(job)
    urls = JobUrls(
        self=path,
        output=f"{path}/output",
        errors=f"{path}/errors",
        events=f"{path}/events",
        cancel=path,
        resume=f"{path}/resume",
    )
    return BatchJob(**{f: getattr(job, f) for f in Job.__struct_fields__}, urls=urls)


def brief(job: Job) -> BatchJob:
    """The same without its report, which may be long and stays as it is."""
    return view(replace(job, report=None))


def answer_job(job: Job, status: int = 200) -> Response:
    """The job as a response; an accepted one says where it is."""
    return answer(view(job), status, {"Location": path_of(job)} if status == 202 else None)


def path_of(job: Job) -> str:
    """Of the job."""
    return f"{ROUTE}/{job.id}"
