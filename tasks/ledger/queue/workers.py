"""The live workers, by their heartbeats."""

from typing import Any

import redis

from tasks.ledger import keys
from tasks.ledger.scripts import load_script
from tasks.wire import decode, encode

HEARTBEAT_TIMEOUT = 8
"""Seconds without a heartbeat after which a worker no longer counts as alive."""
FORGET_AFTER_SECONDS = 60
"""Seconds of silence after which the description of a worker is deleted."""


class Workers:
    """Descriptions of the workers: host, queues, processes, loaded versions."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._heartbeat = load_script(client, "ledger.queue.heartbeat")
        self._alive = load_script(client, "ledger.queue.workers")

    def heartbeat(self, worker: str, description: dict[str, Any]) -> None:
        """Note that a worker is alive, with its description."""
        self._heartbeat(
            keys=[keys.WORKERS_SEEN, keys.WORKERS],
            args=[worker, encode(description), FORGET_AFTER_SECONDS],
        )

    def farewell(self, worker: str) -> None:
        """Forget a worker that shuts down."""
        self._client.zrem(keys.WORKERS_SEEN, worker)
        self._client.hdel(keys.WORKERS, worker)

    def alive(self) -> list[dict[str, Any]]:
        """Descriptions of the live workers that compute."""
        found = self._alive(keys=[keys.WORKERS_SEEN, keys.WORKERS], args=[HEARTBEAT_TIMEOUT])
        described = [decode(description) for description in found]
        return [worker for worker in described if worker.get("processes") != 0]
