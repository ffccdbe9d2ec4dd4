"""A worker's start-up: `celery -A workers.app worker -Q predict`, or `-Q bulk` for batch jobs."""

from typing import Any

from celery.signals import setup_logging

from tasks.app import app
from tasks.jobs.steps import perform
from tasks.prediction import predict
from telemetry.logs import configure
from workers.canaries import Canaries
from workers.consuming import Consuming
from workers.heartbeat import Heartbeat
from workers.stalls import Stalls

# Here alone: the front end, Flower and stock producers use Celery's and kombu's own.
app.conf.broker_transport = "workers.transport:Transport"
app.conf.worker_pool = "workers.pool:Pool"
predict.Strategy = "workers.strategy:strategy"
perform.Strategy = "workers.jobs.strategy:strategy"
app.steps["consumer"] |= {Canaries, Consuming, Heartbeat, Stalls}


@setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _set_up_logging(**_: Any) -> None:
    configure("worker")
