"""Reports to the ledger every few seconds that this worker runs, with its processes' memory."""

import os
import socket
from collections.abc import Callable
from typing import Any

import msgspec
import redis

from tasks.ledger.queue.workers import Workers
from tasks.ledger.server.outage import Outage
from tasks.scaling.demand import Work
from telemetry.memory import resident_bytes
from workers.pool.pools import Pools

HEARTBEAT_SECONDS = 2.0
"""Seconds between two heartbeats."""


class Heartbeat:
    """The heartbeats of this worker."""

    def __init__(
        self,
        client: redis.Redis,
        pool: Pools,
        directives: Callable[[], dict[str, Any]],
        work: Callable[[], Work],
    ) -> None:
        """``directives`` carries out directives, and returns what the heartbeat says of them."""
        self._workers = Workers(client)
        self._pool, self._directives, self._work = pool, directives, work
        self._name, self._queues = "", [""]
        self._was_ready = False
        self._outage = Outage("heartbeats do not reach Redis")

    def introduce(self, name: str, queues: list[str]) -> None:
        """Send the first heartbeat, with the worker's name and queues, which the next ones keep."""
        self._name, self._queues = name, queues
        self.beat()

    def beat(self) -> None:
        """Send a heartbeat, and maintain the pools."""
        # On a timer, since frozen processes cause no event that could be the occasion.
        self._pool.maintain()
        self._was_ready = self._was_ready or self._pool.has_ready_process
        # A worker that still loads its first models sends heartbeats. One that has lost all its
        # processes computes nothing, so it stays silent until a process is ready again.
        if self._pool.has_ready_process or not self._was_ready:
            self._tell(self._report)

    def _report(self) -> None:
        directed = self._directives()
        description = {"name": self._name, **describe_worker(self._pool), "queues": self._queues}
        self._workers.heartbeat(identity(), {**description, **directed, "work": self._work()})

    def farewell(self) -> None:
        """Remove this worker from the ledger at once, before its heartbeat expires."""
        self._tell(lambda: self._workers.farewell(identity()))

    def _tell(self, say: Callable[[], object]) -> None:
        try:
            say()
        except redis.RedisError as error:
            self._outage.goes_on(error)
        else:
            self._outage.is_over()


def identity() -> str:
    """The ledger's id of this worker: host name and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


def describe_worker(pool: Pools) -> dict[str, Any]:
    """The changing fields of a worker in `/stats`; memory is in bytes, fork server included."""
    held = pool.held
    return {
        "pid": os.getpid(),
        # Over all pools: estimates and the number of chunks in flight take it for parallelism.
        "processes": pool.concurrency,
        "memory_bytes": resident_bytes(os.getpid()) + pool.memory_bytes,
        "loaded": [*held],
        "load_costs": {version: msgspec.structs.asdict(cost) for version, cost in held.items()},
    }
