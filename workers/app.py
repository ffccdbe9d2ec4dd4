"""A worker's start-up: `celery -A workers.app worker -Q predict`, or `-Q bulk` for batch jobs."""

import gc
from typing import Any

from celery.signals import setup_logging, worker_ready
from kombu.serialization import register
from kombu.transport import TRANSPORT_ALIASES

from tasks.app import app
from tasks.jobs.steps import perform
from tasks.prediction import predict
from tasks.wire import encode_finite
from telemetry.logs import configure
from workers.celery.canaries import Canaries
from workers.celery.consumer import BatchingStep
from workers.celery.heartbeat import Heartbeat
from workers.celery.watchdog import WatchdogStep
from workers.jobs.sweeping import Sweeping

# Here alone: the front end, Flower and stock producers use Celery's and kombu's own. By its alias,
# since the address of a socket names its transport, whatever the setting says.
TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "workers.celery.transport:Transport"))
app.conf.worker_pool = "workers.pool.pool:Pool"
# The same JSON as Celery's own, at a tenth of the cost: there are three events for each prediction.
register("json, fast", encode_finite, None, "application/json", "utf-8")
app.conf.event_serializer = "json, fast"
predict.Strategy = "workers.celery.strategy:strategy"
perform.Strategy = "workers.jobs.strategy:strategy"
app.steps["consumer"] |= {Canaries, BatchingStep, Heartbeat, WatchdogStep, Sweeping}


@setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _set_up_logging(**_: Any) -> None:
    configure("worker")


@worker_ready.connect  # type: ignore[untyped-decorator]  # the same
def _keep_what_was_imported(**_: Any) -> None:
    gc.collect()
    gc.freeze()  # what lives as long as the worker need not be looked through again and again
