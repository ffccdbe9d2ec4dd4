"""A batch job in an answer: the gateway's `Job` with its urls."""

import msgspec
from flask import Response
from msgspec.structs import replace

from api.http.responses import json_response
from tasks.jobs.job import Job

ROUTE = "/predict/batch"


class JobUrls(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of the job's resources. Follow these rather than building paths."""

    self: str
    """GET: the job."""
    output: str
    """GET, once the job has completed."""
    errors: str
    """GET: a line of NDJSON for each row that has failed so far."""
    events: str
    """GET: server-sent events on the job's progress."""
    cancel: str
    """DELETE: cancel the job."""
    resume: str
    """POST, if the job failed, was cancelled or expired."""


class BatchJob(Job, frozen=True, kw_only=True):
    """A batch job. Times are Unix seconds, by Redis's clock."""

    urls: JobUrls


class BatchJobs(msgspec.Struct, frozen=True):
    """Batch jobs, newest first."""

    data: list[BatchJob]
    has_more: bool
    """Whether there are older jobs; pass the last id as `after` to get them."""


def view(job: Job) -> BatchJob:
    """Add the urls to a job."""
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
    """Like `view`, without the report, which may be long and no longer changes."""
    return view(replace(job, report=None))


def answer_job(job: Job, status: int = 200) -> Response:
    """The job as a response; a 202 has a `Location` header."""
    return json_response(view(job), status, {"Location": path_of(job)} if status == 202 else None)


def path_of(job: Job) -> str:
    """The path of a job."""
    return f"{ROUTE}/{job.id}"
