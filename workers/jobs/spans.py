"""The spans of a job's steps, and of the job itself once it has ended."""

from tasks.jobs.job import Job
from tasks.jobs.ledger import Begun
from tasks.jobs.messages import BULK, step_id
from tasks.jobs.sent import of_job
from telemetry.tracing.span import TraceSpan, child, messaging
from telemetry.tracing.traceparent import SpanContext


def step_span(begun: Begun, sent: SpanContext, times: tuple[float, float], error: str) -> TraceSpan:
    """The span of a step that was performed; ``times`` in Unix seconds."""
    reserved = begun.reserved
    name = "chunk" if reserved.step.isdecimal() else reserved.step
    attributes = {
        **messaging(BULK, "process"),
        **of_job(reserved.job, begun.request),
        "messaging.message.id": step_id(reserved.job, reserved.step),
        "predictq.attempt": begun.attempt,
    }
    # Below the span of the job, which is made when the job ends.
    above = SpanContext(sent.trace_id, _span_id(reserved.job))
    return child(above, name, "consumer", times, attributes, error=error)


def job_span(begun: Begun, sent: SpanContext, job: Job) -> TraceSpan:
    """The span of a job that has ended."""
    attributes = {
        **of_job(job.id, begun.request),
        "predictq.outcome": job.status,
        "predictq.rows": job.counts.total,
        "predictq.chunks": job.chunks or 0,
    }
    ids = sent.trace_id, _span_id(job.id), sent.span_id
    times = job.created_at, job.ended_at or job.created_at
    error = job.error.code if job.error else ""
    return TraceSpan("batch job", "internal", *ids, *times, attributes, [], error)


def _span_id(job_id: str) -> str:
    """The id of a job's span: its steps, in any process, must know it before there is one."""
    return job_id.replace("-", "")[-16:]
