"""A stock Celery application: it knows the broker and the name of the task, nothing of ours."""

from typing import Any

from celery import Celery

from tasks.broker import celery_url


class Stock:
    """Submits as any Celery application does, and controls workers as any does."""

    def __init__(self, redis_url: str) -> None:
        url = celery_url(redis_url)
        self.app = Celery("stock", broker=url, backend=url, set_as_current=False)

    def submit(self, model: str, features: Any, method: str = "predict", **options: Any) -> str:
        """Submit; gives the id."""
        kwargs = {"model": model, "features": features, "method": method}
        return self.send(kwargs=kwargs, **options)

    def send(self, **options: Any) -> str:
        """Send the task as given; gives the id."""
        sent = self.app.send_task(
            "tasks.prediction.predict", queue="predict", ignore_result=True, **options
        )
        return str(sent.id)
