"""The workers that live, by their own word."""

from typing import Any

import redis

from tasks.ledger import keys, scripts
from tasks.wire import decode, encode

HEARTBEAT_TIMEOUT = 8
"""Seconds without a sign of life after which a worker no longer counts."""
FORGOTTEN = 60


class Workers:
    """Who consumes, on which host, with what loaded."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._heartbeat = scripts.load(client, "heartbeat")
        self._alive = scripts.load(client, "workers")

    def heartbeat(self, worker: str, description: dict[str, Any]) -> None:
        """A worker says that it lives, and what it holds."""
        self._heartbeat(
            keys=[keys.WORKERS_SEEN, keys.WORKERS], args=[worker, encode(description), FORGOTTEN]
        )

    def farewell(self, worker: str) -> None:
        """A worker is about to end."""
        self._client.zrem(keys.WORKERS_SEEN, worker)

    def alive(self) -> list[dict[str, Any]]:
        """Descriptions of the workers that live and compute."""
        found = self._alive(keys=[keys.WORKERS_SEEN, keys.WORKERS], args=[HEARTBEAT_TIMEOUT])
        described = [decode(description) for description in found]
        return [worker for worker in described if worker.get("processes") != 0]
