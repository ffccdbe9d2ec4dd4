"""The composition root of a worker: `celery -A workers.app worker -Q predict`, or `-Q bulk`.

The fork server and its pool processes have a root of their own, `workers.pool.fork_server`.
"""

import gc
from functools import partial
from typing import Any

from celery.signals import setup_logging, worker_init, worker_ready
from kombu.serialization import register
from kombu.transport import TRANSPORT_ALIASES

from tasks.app import app
from tasks.jobs.steps import perform
from tasks.prediction import predict
from tasks.settings import Settings
from tasks.wire import encode_finite
from telemetry.logs import configure
from workers.celery import batch_jobs
from workers.celery import strategy as predictions
from workers.celery.batch_jobs import Sweeping
from workers.celery.bringing_back import BringingBack
from workers.celery.canaries import Canaries
from workers.celery.connecting import ServerCheck
from workers.celery.consumer import BatchingStep, CancelledRunsStep, HeartbeatStep
from workers.celery.home_threads import RegistrarStep, RolloutsStep, TimelineStep
from workers.celery.pool import CeleryPool
from workers.celery.scaling import ScalingStep
from workers.celery.transport import Transport
from workers.celery.watchdog import WatchdogStep
from workers.services import WorkerServices

__all__ = ["app"]

services = WorkerServices(Settings.from_environment())

# Only worker processes replace the transport: the front end, Flower and stock producers keep
# kombu's own. The alias is replaced rather than `broker_transport` set, because kombu takes the
# transport of a Unix socket from the URL scheme, whatever that setting says. It is a function,
# because kombu would call a class without arguments. Transport options could not hold the services:
# `inspect stats` answers with them as JSON.
shared = {"services": services, "server_check": ServerCheck(services.client)}
own_transport = type("Transport", (Transport,), shared)
TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), lambda: own_transport))
backend_options = {**app.conf.result_backend_transport_options, "ledger": services.ledger}
app.conf.result_backend_transport_options = backend_options
app.conf.worker_pool = type("Pool", (CeleryPool,), {"services": services})
# The same JSON as Celery's own serializer at a tenth of its cost: each prediction sends 3 events.
register("json, fast", encode_finite, None, "application/json", "utf-8")
app.conf.event_serializer = "json, fast"
# Celery would have its pool run its own tasks, and ours runs none: a message of one is unreadable,
# as is that of any other unknown task.
for name in [name for name in app.tasks if name.startswith("celery.")]:
    app.tasks.unregister(name)
predict.Strategy = partial(predictions.strategy, services)
perform.Strategy = partial(batch_jobs.strategy, services)
app.steps["consumer"] |= {
    *(BatchingStep, CancelledRunsStep, HeartbeatStep, WatchdogStep, Canaries, Sweeping),
    *(BringingBack, RegistrarStep, RolloutsStep, ScalingStep, TimelineStep),
}


@worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _pass_parts_to_steps(sender: Any, **_: Any) -> None:
    sender.options["services"] = services  # Celery passes its worker's options to every step


@setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _set_up_logging(**_: Any) -> None:
    configure("worker")


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _freeze_imported_objects(**_: Any) -> None:
    gc.collect()
    gc.freeze()  # modules live as long as the worker, so later collections can skip them
