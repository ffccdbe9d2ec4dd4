"""A worker's start-up: fills the port of the prediction task. `celery -A workers.app worker`."""

import functools
import os
from typing import Any

from celery.signals import setup_logging, worker_process_init
from threadpoolctl import threadpool_limits

from registry.store import Registry
from tasks.app import app
from tasks.prediction import predict
from tasks.settings import Settings
from telemetry.logs import configure
from workers.engine import SklearnEngine
from workers.heartbeat import Heartbeat, tell_loaded

settings = Settings.from_environment()
# Only the path: the parent never loads a model and never computes, so that forking stays safe.
predict.engine = SklearnEngine(Registry(settings.home), on_load=tell_loaded)
app.steps["consumer"].add(Heartbeat)
# Here alone: the front end, Flower and stock producers use kombu's own.
app.conf.broker_transport = "workers.transport:Transport"


@setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _set_up_logging(**_: Any) -> None:
    configure("worker")


@worker_process_init.connect  # type: ignore[untyped-decorator]  # the same
def _limit_threads(**_: Any) -> None:
    # One thread a process: the pool is the parallelism, and BLAS would oversubscribe the cores.
    os.environ["OMP_NUM_THREADS"] = "1"
    _keep(threadpool_limits(limits=1))


@functools.cache
def _keep(limits: threadpool_limits) -> threadpool_limits:
    return limits
