"""The Celery application, shared by the front end, the workers and Flower."""

from celery import Celery

app = Celery(
    "predictq",
    config_source="celeryconfig",
    include=["tasks.prediction", "tasks.jobs.steps"],
    set_as_current=True,
)
