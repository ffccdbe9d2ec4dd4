"""The messages of a job's steps, which differ only in the step's name."""

import msgspec

from tasks.jobs.job import JobRequest
from tasks.messages import enclosed
from telemetry.errors import Malformed

BULK = "bulk"
"""The queue of batch jobs."""
STEP_TASK = "tasks.jobs.step"
"""The name of the task of a step; `tasks.jobs.steps`, which defines it, imports Celery."""
VALIDATE, FINALIZE = "validate", "finalize"
"""The steps before and after the chunks. A chunk's step is its number, from 0."""
STEP = "@STEP@"
"""Placeholder that scripts replace by the step's name."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of the task `STEP_TASK`."""

    job: str
    step: str


_body = msgspec.json.Decoder(tuple[tuple[()], Step, object])


def template(job_id: str, request: JobRequest) -> bytes:
    """The message of all steps of a job, with a placeholder for the step's name."""
    # Each step counts as one row of the queue's bounds, however many rows its chunk has.
    told = {"rows": 1, "job": request.reference}
    kwargs = {"job": job_id, "step": STEP}
    shown = f"{request.reference}, {STEP} of {job_id}"
    own = STEP_TASK, step_id(job_id, STEP), BULK, told, kwargs, shown
    return enclosed(*own, traceparent=request.traceparent)


def step_id(job_id: str, step: str) -> str:
    """The task id of a step, which stays the same for each attempt."""
    return f"{job_id}.{step}"


def read_step(body: bytes) -> Step:
    """The arguments in a message's body; raises `Malformed`."""
    try:
        return _body.decode(body)[1]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"the message is not a step of a job: {error}") from error
