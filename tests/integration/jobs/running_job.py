"""Starts jobs that a fault will interrupt, and checks their outputs."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasks.jobs.job import Job
from tests.integration.jobs.job_harness import JobHarness
from tests.support.stack import until

ROWS = 120_000
"""Three seconds of work for two processes: time for what is to happen to it on a busy machine."""


def begun(
    harness: JobHarness, model: str = "plodding", least: int = 1, **fields: Any
) -> tuple[Job, Any]:
    """A running job with at least this many settled rows, and its input numbers."""
    source, values = harness.numbers(ROWS)
    job = harness.submit(harness.order(model, source, **fields))
    until(lambda: harness.jobs.get(job.id).counts.succeeded >= least, f"{least} rows")
    return job, values


def check(harness: JobHarness, job: Job, values: Any) -> None:
    """Assert that the job completes and its output equals the model's own answers."""
    job = harness.ended(job)
    assert job.status == "completed", job
    assert job.counts.succeeded == ROWS
    assert harness.predictions(job) == (2 * values[:, 0]).tolist()


def hold_output(harness: JobHarness, job: Job) -> Callable[[], None]:
    """Hold the writing of a CSV output at one part; write that part's content to continue."""
    (part,) = harness.jobs.directory(job.id).parts.glob("1-*")  # the first part is opened twice
    aside = part.rename(harness.directory / "aside")
    os.mkfifo(part)  # opening a FIFO to read blocks until it is opened to write
    writer = until(lambda: _opened(part), "a reader of the part")
    assert harness.jobs.get(job.id).status == "finalizing"
    content = aside.read_bytes()
    aside.replace(part)

    def continue_writing() -> None:
        with suppress(BrokenPipeError), open(writer, "wb") as file:
            file.write(content)

    return continue_writing


def _opened(fifo: Path) -> int | None:
    """The writing end of the FIFO, once a process reads it."""
    try:
        writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None
    os.set_blocking(writer, True)
    return writer
