"""The spans of a job and of its steps."""

import pytest

from tasks.jobs.job import Counts, FileRef, InputInfo, Job, JobError, JobRequest, OutputInfo
from tasks.jobs.ledger import Begun, ReservedStep
from telemetry.tracing.traceparent import SpanContext, new_span_id, new_trace_id
from workers.jobs.spans import job_span, step_span

ID = "01a22dd7-5f95-768c-a55f-e7364c4a3415"
REQUEST = JobRequest(model="m", version=3, input=FileRef(uri="/a"), output=FileRef(uri="/b"))
SENT = SpanContext(new_trace_id(), new_span_id())


def begun(step: str) -> Begun:
    return Begun(ReservedStep(ID, step, "tag"), 2, REQUEST, None, "1.0")


@pytest.mark.parametrize(
    ("step", "name"), [("0", "chunk"), ("17", "chunk"), ("validate", "validate")]
)
def test_steps_are_below_their_job(step: str, name: str) -> None:
    job = Job(
        id=ID,
        status="failed",
        model="m",
        version=3,
        alias=None,
        methods=("predict",),
        input=InputInfo(uri="/a", format=None),
        output=OutputInfo(uri="/b", format=None),
        created_at=1.0,
        ended_at=5.0,
        counts=Counts(total=9),
        chunks=2,
        error=JobError("invalid_input", "no"),
        expires_at=9.0,
    )
    above = job_span(begun(step), SENT, job)
    span = step_span(begun(step), SENT, (2.0, 3.0), "")
    assert (span.name, span.parent_id, span.trace_id) == (name, above.span_id, SENT.trace_id)
    assert (above.parent_id, above.start, above.end) == (SENT.span_id, 1.0, 5.0)
    assert above.error == "invalid_input"
    assert above.attributes["predictq.rows"] == 9
    assert span.attributes["predictq.attempt"] == 2
    assert len(above.span_id) == 16
