"""A job that is under way when something happens to it, and whether it came out right."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasks.jobs.job import Job
from tests.integration.jobs.job_harness import Room
from tests.support.stack import until

ROWS = 120_000
"""Three seconds of work for two processes: time for what is to happen to it on a busy machine."""


def begun(room: Room, model: str = "plodding", least: int = 1, **fields: Any) -> tuple[Job, Any]:
    """A job of which so many rows are settled and others are computed, and its numbers."""
    source, values = room.numbers(ROWS)
    job = room.submit(room.order(model, source, **fields))
    until(lambda: room.jobs.get(job.id).counts.succeeded >= least, f"{least} rows")
    return job, values


def check(room: Room, job: Job, values: Any) -> None:
    """It is complete, and equal to what the model says."""
    job = room.ended(job)
    assert job.status == "completed", job
    assert job.counts.succeeded == ROWS
    assert room.predictions(job) == (2 * values[:, 0]).tolist()


def put_together(room: Room, job: Job) -> Callable[[], None]:
    """Wait until its output, a CSV file, is being written; that goes on with what is given here."""
    (part,) = room.jobs.directory(job.id).parts.glob("1-*")  # the first is looked at twice
    aside = part.rename(room.directory / "aside")
    os.mkfifo(part)  # who reads it waits for one who writes
    writer = until(lambda: _opened(part), "somebody who reads it")
    assert room.jobs.get(job.id).status == "finalizing"
    content = aside.read_bytes()
    aside.replace(part)

    def go_on() -> None:
        with suppress(BrokenPipeError), open(writer, "wb") as file:
            file.write(content)

    return go_on


def _opened(fifo: Path) -> int | None:
    """The end to write to, once somebody reads it."""
    try:
        writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None
    os.set_blocking(writer, True)
    return writer
