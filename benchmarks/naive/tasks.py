"""The task, and the model, which each pool process loads when it starts."""

import os
from typing import Any

import joblib
from celery import Celery
from celery.signals import worker_process_init

app = Celery("naive", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
held: dict[str, Any] = {}


@worker_process_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def load(**_: Any) -> None:
    held["model"] = joblib.load(os.environ["MODEL"])


@app.task  # type: ignore[untyped-decorator]  # Celery has no types
def predict(features: list[list[float]]) -> list[Any]:
    predictions: list[Any] = held["model"].predict(features).tolist()
    return predictions
