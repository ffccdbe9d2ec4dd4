"""The prediction task, as producers call it."""

from typing import Any

from tasks.app import app
from tasks.messages import PREDICT_TASK


@app.task(name=PREDICT_TASK)  # type: ignore[untyped-decorator]  # Celery has no types
def predict(
    model: str,
    features: Any = None,
    method: str = "predict",
    alias: str | None = None,
    created_at: float | None = None,
    arrow: str | None = None,
    tenant: str = "default",
) -> list[Any]:
    """Predictions, one per row.

    ``model`` is ``name``, ``name@alias`` or ``name:version``; ``features`` takes any form that a
    request may have. ``arrow`` stands for them: an Arrow stream of rows in base64. This body never
    runs: predictq's workers compute microbatches of messages (`workers.celery.strategy`).
    """
    raise NotImplementedError("start the worker with `celery -A workers.app worker`")
