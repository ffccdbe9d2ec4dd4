"""The worker's way to Redis: kombu's own, made to outlive a lost connection."""

from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as Disconnected


class Channel(redis.Channel):
    """Says that its connection is gone, in words that Celery takes for that.

    When Redis dies while a prediction is computed, the old channel is still asked to give back or
    to acknowledge its message. Kombu stumbles over the missing connection with an
    `AttributeError`, which Celery takes for a fault in its own code: the worker hangs or ends.
    The message itself is in no danger: the visibility timeout returns it.
    """

    def _create_client(self, asynchronous: bool = False) -> Any:
        if self.connection is None or self.connection.client is None:
            raise Disconnected("the connection of this channel is gone")
        return super()._create_client(asynchronous)  # type: ignore[no-untyped-call]  # kombu's


class Transport(redis.Transport):
    """Kombu's, with our `Channel`."""

    Channel = Channel
