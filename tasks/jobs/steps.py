"""The task of one step of a batch job, as producers call it."""

from tasks.app import app
from tasks.jobs.messages import STEP_TASK


@app.task(name=STEP_TASK)  # type: ignore[untyped-decorator]  # Celery has no types
def perform(job: str, step: str) -> None:
    """Validate a job, compute one of its chunks, or write its output.

    This body never runs: predictq's workers perform the step (`workers.jobs`).
    """
    raise NotImplementedError("start the worker with `celery -A workers.app worker -Q bulk`")
