"""Builds the job that callers see from its hash in Redis."""

from collections.abc import Iterable, Mapping
from typing import cast

import msgspec

from tasks.jobs.job import (
    TERMINAL_STATUSES,
    Counts,
    Facts,
    InputInfo,
    Job,
    JobError,
    JobRequest,
    OutputInfo,
    Report,
    Status,
)

_TIMES = (
    *("created_at", "validating_at", "queued_at", "running_at", "finalizing_at"),
    *("cancelling_at", "ended_at", "expires_at"),
)
Fields = Mapping[str, str]


def read_job(job_id: str, fields: Fields, in_flight: Iterable[int]) -> Job:
    """The job; ``in_flight`` holds the rows of each step that is queued or reserved."""
    # `order` is the stored name of the job request; jobs of earlier releases have it, too.
    request = msgspec.json.decode(fields["order"], type=JobRequest)
    facts = msgspec.json.decode(fields["facts"], type=Facts) if "facts" in fields else None
    status = cast("Status", fields["status"])
    report = msgspec.json.decode(fields["report"], type=Report) if "report" in fields else None
    counts, rate = _counts(status, fields, sum(in_flight)), _rate(fields)
    return Job(
        id=job_id,
        status=status,
        model=request.model,
        version=request.version,
        alias=request.alias,
        methods=request.methods,
        input=_input(request, facts),
        output=_output(request, facts, fields.get("output")),
        counts=counts,
        chunks=int(fields["chunks"]) if "chunks" in fields else None,
        rows_per_second=rate,
        eta_seconds=_eta(status, counts, rate, report),
        error=msgspec.json.decode(fields["error"], type=JobError) if "error" in fields else None,
        report=report,
        restricted=request.restricted,
        tenant=request.tenant,
        **{name: float(fields[name]) for name in _TIMES if name in fields},  # type: ignore[arg-type]  # those that have no default are always there
    )


def _counts(status: Status, fields: Fields, in_flight: int) -> Counts:
    total = int(fields.get("total", 0))
    succeeded, failed = int(fields["succeeded"]), int(fields["failed"])
    rest = total - succeeded - failed
    if status in TERMINAL_STATUSES:
        return Counts(total=total, succeeded=succeeded, failed=failed, cancelled=rest)
    # The rows of a step in flight are an estimate, which may exceed those that are left.
    running = min(in_flight, rest)
    pending = rest - running
    return Counts(total=total, succeeded=succeeded, failed=failed, running=running, pending=pending)


def _rate(fields: Fields) -> float | None:
    busy = float(fields.get("busy", 0))
    return float(fields["drained"]) / busy if busy else None


def _eta(status: Status, counts: Counts, rate: float | None, report: Report | None) -> float | None:
    """Seconds for the rows that are left: by the recent rate, or else by validation's estimate."""
    # Rows that are computed count as a whole: how far they are is unknown.
    left = counts.pending + counts.running
    if report is None or status not in ("queued", "running"):
        return None
    return left / rate if rate else left * report.estimated_seconds / report.rows


def _input(request: JobRequest, facts: Facts | None) -> InputInfo:
    if facts is None:
        return InputInfo(uri=request.input.uri, format=request.input.format)
    return InputInfo(
        uri=request.input.uri,
        format=facts.format,
        bytes=facts.bytes,
        fingerprint=facts.fingerprint,
    )


def _output(request: JobRequest, facts: Facts | None, written: str | None) -> OutputInfo:
    format_ = request.output.format or (facts.format if facts else None)
    return OutputInfo(uri=request.output.uri, format=format_, fingerprint=written)
