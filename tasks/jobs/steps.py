"""The task of one step of a batch job, as producers call it."""

from tasks.app import app

VALIDATE, FINALIZE = "validate", "finalize"
"""The steps before and after the chunks. A chunk's step is its number, from 0."""


@app.task(name="tasks.jobs.step")  # type: ignore[untyped-decorator]  # Celery has no types
def perform(job: str, step: str) -> None:
    """Validate a job, compute one of its chunks, or write its output.

    This body never runs: predictq's workers perform the step (`workers.jobs`).
    """
    raise NotImplementedError("start the worker with `celery -A workers.app worker -Q bulk`")
