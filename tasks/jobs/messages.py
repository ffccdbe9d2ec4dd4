"""The messages of a job's steps, which are the same but for the step's name."""

import msgspec

from tasks.jobs.job import JobRequest
from tasks.jobs.steps import perform
from tasks.messages import enclosed
from telemetry.errors import Malformed

BULK = "bulk"
"""The queue of jobs."""
STEP = "@STEP@"
"""What scripts put the name of a step in place of."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of the task."""

    job: str
    step: str


_body = msgspec.json.Decoder(tuple[tuple[()], Step, object])


def template(job_id: str, order: JobRequest) -> bytes:
    """The message of any step of a job."""
    # Rows are not counted here: a chunk is one, whatever it holds, and validating is as well.
    told = {"rows": 1, "job": order.reference}
    kwargs = {"job": job_id, "step": STEP}
    shown = f"{order.reference}, {STEP} of {job_id}"
    return enclosed(perform.name, step_id(job_id, STEP), BULK, told, kwargs, shown)


def step_id(job_id: str, step: str) -> str:
    """The task's id of a step: the same each time that it is tried."""
    return f"{job_id}.{step}"


def read_step(body: bytes) -> Step:
    """The arguments in a message's body; raises `Malformed`."""
    try:
        return _body.decode(body)[1]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"this is no step of a job: {error}") from error
