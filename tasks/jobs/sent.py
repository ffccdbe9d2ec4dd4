"""The span of a batch job that is sent, and the place of its steps in the trace."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.jobs.job import JobRequest
from tasks.jobs.messages import BULK
from telemetry.errors import PredictqError
from telemetry.tracing.span import Attributes, messaging
from telemetry.tracing.tracer import Sending


@contextmanager
def noting_sent(sending: Sending | None, job_id: str, request: JobRequest) -> Iterator[None]:
    """End the span of a job, if it is sampled, with the error of the block, if it raises one."""
    error = ""
    try:
        yield
    except PredictqError as refusal:
        error = refusal.code
        raise
    finally:
        if sending is not None:
            told = {**messaging(BULK, "send"), **of_job(job_id, request)}
            sending.end(f"send {BULK}", told, error=error)


def of_job(job_id: str, request: JobRequest) -> Attributes:
    """The attributes of each span of a job."""
    return {
        "predictq.job": job_id,
        "predictq.model": request.model,
        "predictq.version": request.version,
        "predictq.tenant": request.tenant,
    }
