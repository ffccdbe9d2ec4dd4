"""The worker's way to Redis: kombu's own, but messages are taken by the batch, and never lost."""

import logging
from collections.abc import Iterable
from queue import Empty
from time import monotonic
from typing import Any, cast

import redis
from kombu.transport import redis as kombu
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ResponseError

from tasks.ledger.dead_letters.burial import Burial
from tasks.ledger.ledger import connect
from tasks.ledger.queue.reservations import Reservations
from tasks.settings import Settings
from tasks.wire import decode
from telemetry.errors import Malformed
from workers.celery.connecting import refusals_as_loss, require_fit, until_it_writes
from workers.microbatch.batch_size import MOST_ROWS
from workers.microbatch.batcher import MOST_BYTES, Batcher

log = logging.getLogger(__name__)
LOOK = 1
"""Seconds that Redis watches the queue before we ask again."""


class QoS(kombu.QoS):  # type: ignore[misc]  # kombu's types are not followed
    """Takes messages only while there is room for them; the ledger knows which are held."""

    batcher: Batcher | None = None
    """Set on the channel that consumes predictions."""
    restore_at_shutdown = False

    def can_consume(self) -> bool:
        """Whether a message could be computed at once."""
        return self.batcher.room > 0 if self.batcher else bool(super().can_consume())

    def append(self, message: Any, delivery_tag: str) -> None:
        """Nothing: the script that took the message has noted it."""

    def ack(self, delivery_tag: str) -> None:
        """Put a message aside: outcomes settle, so Celery acknowledges only what it cannot read."""
        self.channel.burial.put_aside(delivery_tag, "Celery could not read it; see the log")

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """The same, or give it back."""
        if requeue:
            self.channel.reservations.release([delivery_tag])
        else:
            self.ack(delivery_tag)

    def restore_visible(self, *_: Any, **__: Any) -> None:
        """Called by kombu's timer: keep what is held, give back the work of the dead."""
        # Only by one who knows what this worker holds: a channel may be asked before that.
        if self.batcher and (returned := self.channel.upkeep(self.batcher.held())):
            log.warning("returned %s messages of the dead to their queues", returned)


class Channel(kombu.Channel):  # type: ignore[misc]  # the same
    """Takes from one queue as much as there is room for, in one round trip.

    While the queue is empty, Redis watches it for us: ``BLMOVE q q RIGHT RIGHT`` answers once a
    message is there, and removes nothing. Queues without acknowledgement, those of remote control,
    are consumed as kombu does it.
    """

    QoS = QoS
    _queue = ""
    _is_dry = False
    """Whether the queue was empty when we last took from it, and is not watched since."""
    looks = 0
    """How often we have taken from it, or found it empty."""

    def __init__(self, *args: Any, **options: Any) -> None:
        settings = Settings.from_environment()
        client = connect(settings.redis_url, timeout=5)
        self.reservations = Reservations(client, settings.visibility_timeout, settings.result_ttl)
        self.burial = Burial(client, settings)
        super().__init__(*args, **options)

    def basic_consume(self, queue: str, no_ack: bool = False, **options: Any) -> Any:
        """Consume from a queue; from one at most, since Redis can watch but one for us."""
        if not no_ack:
            if self._queue not in ("", queue):
                raise ValueError("a worker consumes one queue: start it with -Q and its name")
            self._queue = queue
        return super().basic_consume(queue, no_ack=no_ack, **options)

    def consume(self) -> int:
        """A process is free: take what waits on the queue, and dispatch; gives how many it took.

        While Redis watches the queue there is nothing to take, and a reminder may come to a channel
        whose connection was lost: what that took could be given to nobody.
        """
        if self.closed:
            return 0
        with refusals_as_loss():
            return self._consume()

    def _consume(self) -> int:
        taken: list[tuple[str, bytes]] = []
        if (room := self.qos.batcher.room) and not self._in_poll:
            taken = self.reservations.reserve(self._queue, room, MOST_ROWS, MOST_BYTES)
            self._is_dry = not taken
            self.looks += 1
        for tag, message in taken:
            self._deliver(tag, message)
        self.qos.batcher.dispatch()
        return len(taken)

    def upkeep(self, held: Iterable[str]) -> int:
        """Keep what is held, and give back the work of the dead; how much that was."""
        with refusals_as_loss():
            return self.reservations.upkeep(held, self._queue)

    def maybe_refresh_binding_expiry(self) -> None:
        """Called by kombu's timer, which logs a traceback each second where this is refused."""
        with refusals_as_loss():
            super().maybe_refresh_binding_expiry()

    def _brpop_start(self, timeout: float | None = None) -> None:
        if not self._queue:
            super()._brpop_start(timeout)
            return
        while self.qos.can_consume():
            if self._is_dry or not self.consume():
                self._is_dry = False
                self._watch("BLMOVE", self._queue, self._queue, "RIGHT", "RIGHT", LOOK)
                return

    def _deliver(self, tag: str, message: bytes) -> None:
        fields = {"queue": self._queue, "tag": tag}
        try:
            payload = checked(decode(message))
            payload["properties"]["delivery_tag"] = tag
            self.connection._deliver(payload, self._queue)  # noqa: SLF001 - kombu's own way
        except redis.RedisError:
            raise
        except (OSError, MemoryError):  # of this worker, and of no message
            log.exception("this worker cannot take a message, and gives it back", extra=fields)
            self.reservations.release([tag])
        except Exception as error:  # whatever lies on the queue, the worker outlives it
            log.exception("a message cannot be read", extra=fields)
            self.burial.bury(tag, message, f"{type(error).__name__}: {error}")

    def _watch(self, *command: Any) -> None:
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()
        self._in_poll.send_command(*command)

    def _brpop_read(self, **options: Any) -> Any:
        if not self._queue:
            return super()._brpop_read(**options)
        connection, self._in_poll = self._in_poll, None
        try:
            with refusals_as_loss():
                connection.read_response(timeout=1)
        except ResponseError:
            # A full Redis refuses even to look at it so; wait a moment on a list that is not there.
            self._watch("BLPOP", "predictq:none", 0.1)
        except self.connection_errors:
            connection.disconnect()
            raise
        raise Empty

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """Give a connection over a socket what redis-py asks of all where it counts errors."""
        parameters: dict[str, Any] = super()._connparams(asynchronous)
        if "path" in parameters:
            names = {"host": "localhost", "port": 0}
            parent = parameters["connection_class"]
            parameters["connection_class"] = type("SocketConnection", (parent,), names)
        return parameters

    def _create_client(self, asynchronous: bool = False) -> Any:
        """Say that the connection is gone, in words that Celery takes for that.

        Kombu stumbles over a missing connection with an `AttributeError`, which Celery takes for a
        fault in its own code: the worker hangs or ends.
        """
        if self.connection is None or self.connection.client is None:
            raise Disconnected("the connection of this channel is gone")
        return super()._create_client(asynchronous)


def checked(payload: Any) -> dict[str, Any]:
    """A message of protocol 2; raises `Malformed` for anything else."""
    match payload:
        case {"headers": {"task": str(), "id": str()}, "properties": {}, "body": str()}:
            return cast("dict[str, Any]", payload)
    raise Malformed("a message has headers with task and id, properties, and a body")


class Transport(kombu.Transport):  # type: ignore[misc]  # the same
    """Kombu's, with our `Channel`, and only to a server that a worker can work on."""

    Channel = Channel
    _was_looked_at = False

    def establish_connection(self) -> Any:
        """Wait until the server writes; its first one ends this worker where it is unfit."""
        with connect(Settings.from_environment().redis_url, timeout=5) as client:
            if not Transport._was_looked_at:
                require_fit(client)
                Transport._was_looked_at = True
            until_it_writes(client)
        return super().establish_connection()
