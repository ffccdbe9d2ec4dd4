"""A stock Celery application that knows only the broker URL and the task name."""

from typing import Any

from celery import Celery

from tasks.broker import celery_url


class Stock:
    """Submits as any Celery application does, and controls workers as any does."""

    def __init__(self, redis_url: str) -> None:
        url = celery_url(redis_url)
        self.app = Celery("stock", broker=url, backend=url, set_as_current=False)

    def submit(self, model: str, features: Any, method: str = "predict", **options: Any) -> str:
        """Submit a prediction and return its id."""
        kwargs = {"model": model, "features": features, "method": method}
        return self.send(kwargs=kwargs, **options)

    def send(self, **options: Any) -> str:
        """Send the task with these arguments and return its id."""
        sent = self.app.send_task(
            "tasks.prediction.predict", queue="predict", ignore_result=True, **options
        )
        return str(sent.id)
