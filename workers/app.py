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

# Only worker processes replace the transport: the front end, Flower and stock producers keep
# kombu's own. The alias is replaced rather than `broker_transport` set, because kombu takes the
# transport of a Unix socket from the URL scheme, whatever that setting says.
TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "workers.celery.transport:Transport"))
app.conf.worker_pool = "workers.pool.pool:Pool"
# The same JSON as Celery's own serializer at a tenth of its cost: each prediction sends 3 events.
register("json, fast", encode_finite, None, "application/json", "utf-8")
app.conf.event_serializer = "json, fast"
predict.Strategy = "workers.celery.strategy:strategy"
perform.Strategy = "workers.jobs.strategy:strategy"
app.steps["consumer"] |= {Canaries, BatchingStep, Heartbeat, WatchdogStep, Sweeping}


@setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _set_up_logging(**_: Any) -> None:
    configure("worker")


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _freeze_imported_objects(**_: Any) -> None:
    gc.collect()
    gc.freeze()  # modules live as long as the worker, so later collections can skip them
