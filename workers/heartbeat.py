"""Tells the ledger every few seconds that this worker lives, and what its processes take."""

import logging
import os
import socket
from collections.abc import Callable
from typing import Any

import psutil
import redis
from celery import bootsteps

from registry.manifest import Manifest
from tasks.ledger.ledger import Ledger
from tasks.prediction import predict

log = logging.getLogger(__name__)
INTERVAL = 2.0
"""Seconds."""


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """A step of the consumer: it beats while messages are taken, on the loop that takes them.

    So a worker without Redis, or with a stuck loop, falls silent.
    """

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._entry: Any = None

    def start(self, consumer: Any) -> None:
        """Beat now, then every interval."""
        self._beat(consumer)
        self._entry = consumer.timer.call_repeatedly(INTERVAL, self._beat, (consumer,))

    def stop(self, consumer: Any) -> None:
        """Beat no more."""
        if self._entry is not None:
            self._entry.cancel()

    def shutdown(self, consumer: Any) -> None:
        """Say goodbye: nobody needs to wait for the silence."""
        self.stop(consumer)
        _tell(lambda ledger: ledger.farewell(identity(os.getpid())))

    def _beat(self, consumer: Any) -> None:
        name = identity(os.getpid())
        _tell(lambda ledger: ledger.heartbeat(name, describe(consumer.hostname)))


def _tell(say: Callable[[Ledger], object]) -> None:
    try:
        say(predict.backend.ledger)
    except redis.RedisError as error:
        log.warning("the ledger does not hear this worker: %s", error)


def identity(parent_pid: int) -> str:
    """What the ledger calls this worker, known to its parent and to its children."""
    return f"{socket.gethostname()}:{parent_pid}"


def tell_loaded(manifest: Manifest) -> None:
    """A process of the pool says that it holds this version now."""
    version = f"{manifest.name}:{manifest.version}"
    _tell(lambda ledger: ledger.loaded(identity(os.getppid()), version))


def describe(name: str) -> dict[str, Any]:
    """What `/stats` says of a worker; memory in bytes."""
    parent = psutil.Process()
    children = parent.children()
    return {
        "name": name,
        "pid": parent.pid,
        "processes": len(children),
        "memory_bytes": sum(_memory(process) for process in (parent, *children)),
    }


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
