"""A worker's connection to its broker, without the rest of the worker."""

from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Queue
from kombu.transport import _transport_cache

from tasks.broker import celery_url
from tasks.settings import Settings
from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.celery.connecting import ServerCheck
from workers.celery.transport import Transport
from workers.services import WorkerServices


def worker_connection(url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A connection of kombu's with our transport, as `workers.app` has it; a batcher is free."""
    services = WorkerServices(Settings(home=home, redis_url=url))
    bench = Bench()
    services.batcher, services.registry_outage = bench.batcher, bench.registry_outage
    shared = {"services": services, "server_check": ServerCheck(services.client)}
    monkeypatch.setitem(_transport_cache, "redis", type("Transport", (Transport,), shared))
    return Connection(celery_url(url))


def consuming(connection: Connection) -> Any:
    """A channel that consumes predictions."""
    channel = connection.channel()
    Queue("predict")(channel).declare()
    channel.basic_consume("predict", no_ack=False, callback=None, consumer_tag="tag")
    return channel
