"""The task of one prediction, as producers see it."""

from typing import Any

from tasks.app import app


@app.task(name="tasks.prediction.predict")  # type: ignore[untyped-decorator]  # Celery has no types
def predict(
    model: str,
    features: Any,
    method: str = "predict",
    alias: str | None = None,
    created_at: float | None = None,
) -> list[Any]:
    """Predictions, one per row.

    ``model`` is ``name``, ``name@alias`` or ``name:version``; ``features`` is in any shape of a
    request. Workers of ours compute whole batches of messages (`workers.celery.strategy`), and
    never run this body.
    """
    raise NotImplementedError("start the worker with `celery -A workers.app worker`")
