"""The subscription over which accept.lua hands messages over to this worker while it is idle.

Such a message is reserved and started already, so it reaches a pool process without a round trip.
"""

from collections.abc import Callable
from itertools import islice
from typing import Any

import redis

from tasks.ledger import keys
from tasks.ledger.queue.reservations import Reservations
from workers.heartbeat import identity
from workers.microbatch.batcher import Batcher
from workers.pool.pools import Pools

MAX_NOTED = 100
"""Most versions that this worker says it holds; messages of others take the way over the queue."""
CONNECT_SECONDS = 5.0
"""Seconds for the connection and the first answer."""
Deliver = Callable[[str, bytes], None]


class Handover:
    """The subscription for messages that are handed over to this worker. It outlives each
    connection.
    """

    def __init__(self, url: str, reservations: Reservations, batcher: Batcher, pool: Pools) -> None:
        """``url``: of Redis."""
        # Protocol 2: publications come as plain lists. Not redis-py's `PubSub`, which connects
        # again by itself, to a descriptor that no event loop knows.
        self._connections = redis.ConnectionPool.from_url(
            url, protocol=2, socket_timeout=CONNECT_SECONDS, socket_connect_timeout=CONNECT_SECONDS
        )
        self._reservations, self._batcher, self._pool = reservations, batcher, pool
        self._connection: Any = None
        self._queue, self.worker = "", ""
        self.is_noted = False
        """Whether accept.lua may hand a message over to this worker now."""

    def open(self, queue: str, hub: Any, deliver: Deliver) -> None:
        """Have messages of a queue delivered from an event loop: ``deliver`` gets tag and message.

        For each event loop anew. Raises `redis.RedisError`.
        """
        if not self._is_connected():
            self._drop()
            self._subscribe(queue)
        hub.add_reader(self._descriptor, self._hear, hub, deliver)

    def idle_versions(self) -> str:
        """The versions that this worker holds, each between blanks; empty if it has other work."""
        if self._connection is None or not self._batcher.is_idle:
            return ""
        held = islice(self._pool.held, MAX_NOTED)
        return f" {' '.join(held)} "

    def note_idle(self) -> None:
        """Note that this worker is idle, unless it is noted since it last got a message."""
        if not self.is_noted and (versions := self.idle_versions()):
            self._reservations.note_idle(self._queue, self.worker, versions)
            self.is_noted = True

    def close(self) -> list[tuple[str, bytes]]:
        """Unsubscribe; returns the messages that came and are not delivered, with their tags.

        Raises `redis.RedisError`.
        """
        if self._connection is None:
            return []
        self._reservations.forget_idle(self._queue, self.worker)
        self._connection.send_command("UNSUBSCRIBE")
        left = []
        while (event := self._connection.read_response())[0] != b"unsubscribe":
            left.append(_read(event))
        self._drop()
        return left

    @property
    def _descriptor(self) -> int:
        return int(self._connection._sock.fileno())  # noqa: SLF001 - redis-py has no other way

    def _subscribe(self, queue: str) -> None:
        connection: Any = self._connections.make_connection()
        connection.connect()
        self._queue, self.worker = queue, identity()
        connection.send_command("SUBSCRIBE", keys.HANDED + self.worker)
        connection.read_response()
        self._connection = connection

    def _is_connected(self) -> bool:
        try:
            return self._connection is not None and self._connection.can_read(timeout=0) is not None
        except redis.RedisError:
            return False

    def _hear(self, hub: Any, deliver: Deliver) -> None:
        try:
            while self._connection is not None and self._connection.can_read(timeout=0):
                self.is_noted = False
                deliver(*_read(self._connection.read_response()))
        except redis.RedisError:
            hub.remove(self._descriptor)
            self._drop()
            raise  # Celery reconnects, and opens this again

    def _drop(self) -> None:
        """Forget the subscription. What came over it returns when its reservation ends."""
        if self._connection is not None:
            self._connection.disconnect()
        self._connection, self.is_noted = None, False


def _read(event: list[bytes]) -> tuple[str, bytes]:
    tag, _, message = event[2].partition(b" ")
    return tag.decode(), message
