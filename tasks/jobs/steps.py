"""The task of one step of a job, as producers see it."""

from tasks.app import app

VALIDATE, FINALIZE = "validate", "finalize"
"""The steps before and after the chunks, which are called by their numbers from 0."""


@app.task(name="tasks.jobs.step")  # type: ignore[untyped-decorator]  # Celery has no types
def perform(job: str, step: str) -> None:
    """Validate a job, compute one of its chunks, or put its output together.

    Workers of ours do it (`workers.jobs`), and never run this body.
    """
    raise NotImplementedError("start the worker with `celery -A workers.app worker -Q bulk`")
