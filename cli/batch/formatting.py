"""Prints batch jobs: as a table, one by one, and their results."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import PurePath

import click

from cli.batch.dialect_options import dialect_text
from cli.batch.following import clock, rows_per_second
from cli.failure import Failure
from cli.text_table import text_table
from predictq import Client, Job
from tasks.jobs.job import FINAL_ERRORS

SHOWN_BAD_ROWS = 5
"""Failed rows that are printed at the end of a job."""
_HEADER = ("ID", "STATUS", "MODEL", "ROWS", "FAILED", "CREATED", "INPUT")


def jobs_table(jobs: Iterable[Job]) -> str:
    """A table with one line per job."""
    return text_table(_HEADER, map(_line, jobs))


def job_text(job: Job) -> str:
    """The main facts of one job, as far as known."""
    facts = [
        ("job", job.id),
        ("status", job.status),
        ("model", f"{job.model}:{job.version}"),
        ("methods", ", ".join(job.methods)),
        ("input", job.input["uri"]),
        ("output", job.output["uri"]),
        ("progress", rows_per_second(job)),
        ("created", _time(job.created_at)),
        ("ended", job.ended_at and _time(job.ended_at)),
        ("error", _reason(job)),
    ]
    return "\n".join(f"{label:8}  {value}" for label, value in facts if value)


def dry_run_text(job: Job) -> str:
    """The result of a validation; raises `Failure` if the input cannot be scored."""
    if job.error:
        raise Failure(_reason(job) or "")
    found = job.report or {}
    seconds = found.get("estimated_seconds")
    lines = [f"{found.get('rows', 0):,} rows", f"columns: {', '.join(found.get('columns', ()))}"]
    lines += dialect_text(found)
    if seconds is not None:
        lines.append(f"would take about {clock(seconds)}")
    lines += [f"line {bad['line']}: {bad['message']}" for bad in found.get("errors", ())]
    return "\n".join(lines)


def conclude(client: Client, job: Job, fetched: str | None) -> None:
    """Print the result of a job that has ended; raises `Failure` if it has no output."""
    if not job.has_output:
        raise no_output(job)
    took = f" in {job.ended_at - job.created_at:,.1f} s" if job.ended_at else ""
    output = fetched or _where(job)
    click.echo(f"scored {job.counts.succeeded:,} rows{took}: {output}", err=True)
    for line in dialect_text(job.report or {}):
        click.echo(line, err=True)
    if job.counts.failed:
        _tell_failures(client, job)


def no_output(job: Job) -> Failure:
    """A `Failure` with the reason and advice."""
    reason = _reason(job) or f"the job was {job.status}"
    return Failure(reason + _advice(job))


def _advice(job: Job) -> str:
    if job.error is None or job.error.code not in FINAL_ERRORS:
        return f" (to go on where it stopped: predictq batch resume {job.id})"
    rows = f" (the rows that failed: predictq batch errors {job.id})"
    return rows if job.counts.failed else ""


def _where(job: Job) -> str:
    """Path of the output, or the command that downloads it from the server."""
    output = PurePath(job.output["uri"])
    return f"predictq batch fetch {job.id} OUTPUT" if output.parent.name == job.id else str(output)


def _tell_failures(client: Client, job: Job) -> None:
    click.echo(f"{job.counts.failed:,} rows failed:", err=True)
    for row in islice(client.jobs.errors(job.id), SHOWN_BAD_ROWS):
        click.echo(f"  line {row.line}: {row.message}", err=True)
    if job.counts.failed > SHOWN_BAD_ROWS:
        click.echo(f"  … all of them: predictq batch errors {job.id}", err=True)


def _reason(job: Job) -> str | None:
    if job.error is None:
        return None
    line, message = job.error.line, job.error.message
    is_told = line is None or f"line {line}: " in message
    return message if is_told else f"line {line}: {message}"


def _line(job: Job) -> tuple[str, ...]:
    named = job.id, job.status, f"{job.model}:{job.version}"
    rows = f"{job.counts.total:,}", f"{job.counts.failed:,}"
    return *named, *rows, _time(job.created_at), job.input["uri"]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
