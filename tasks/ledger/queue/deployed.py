"""Queues of deployments: those that no worker serves are emptied, and outcomes are counted."""

from collections.abc import Collection
from typing import cast

import redis

from tasks.ledger import keys
from tasks.ledger.scripts import load_script
from tasks.messages import PREDICT_QUEUE
from tasks.record import State

MESSAGES_MOVED = 1000
"""Messages moved in one step; Redis serves no other client meanwhile."""
STATES: tuple[State, ...] = ("succeeded", "failed", "cancelled", "expired")


class DeployedQueues:
    """The queues of present and former deployments. Every method raises `RedisError`."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._bring_back = load_script(client, "ledger.queue.bring_back")

    def bring_back(self, kept: Collection[str]) -> int:
        """Move the waiting messages of all these queues, except ``kept``, to the shared one;
        returns how many.
        """
        return sum(self._emptied(queue) for queue in self.names() if queue not in kept)

    def names(self) -> list[str]:
        """All of these queues."""
        known = cast("set[bytes]", self._client.smembers(keys.DEPLOYED_QUEUES))
        return sorted(queue.decode() for queue in known)

    def _emptied(self, queue: str) -> int:
        names = [queue, keys.QUEUED + queue, PREDICT_QUEUE]
        moved = 0
        while step := int(self._bring_back(keys=names, args=[MESSAGES_MOVED])):
            moved += step
        return moved

    def outcomes(self, queue: str) -> dict[State, int]:
        """The outcomes that the workers of a deployment have written."""
        counts = cast("list[bytes | None]", self._client.hmget(keys.QUEUED + queue, list(STATES)))
        return {state: int(count or 0) for state, count in zip(STATES, counts, strict=True)}
