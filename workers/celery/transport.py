"""The worker's Redis transport: kombu's, but it reserves many messages at once and loses none."""

import logging
from queue import Empty
from time import monotonic
from typing import Any, ClassVar, cast

import redis
from kombu.transport import redis as kombu
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ResponseError

from tasks.wire import decode, encode
from telemetry.errors import Malformed
from workers.celery.connecting import ServerCheck, refusals_as_loss
from workers.microbatch.batch_size import MAX_ROWS
from workers.microbatch.gathered import MAX_BYTES
from workers.services import WorkerServices

log = logging.getLogger(__name__)
WATCH_SECONDS = 1
"""Seconds that one blocking command watches an empty queue."""


class QoS(kombu.QoS):  # type: ignore[misc]  # kombu's types are not followed
    """Takes messages only while the batcher has capacity; the ledger tracks reservations."""

    # `workers.celery.shutdown` returns the messages; kombu would restore from its own keys.
    restore_at_shutdown = False

    def can_consume(self) -> bool:
        """Whether a message could be computed immediately."""
        if self.channel.takes_messages:
            return bool(self.channel.services.batcher.capacity > 0)
        return bool(super().can_consume())  # the channel of remote control, for one

    def append(self, message: Any, delivery_tag: str) -> None:
        """Do nothing: the script that took the message has recorded its reservation."""

    def ack(self, delivery_tag: str) -> None:
        """Put a message aside as a dead letter.

        Settling an outcome drops its message, so Celery acknowledges only what it cannot read.
        """
        self.channel.services.burial.bury_by_tag(
            delivery_tag, "Celery could not decode it; see the worker's log"
        )

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Put a message aside, or return it to its queue if ``requeue``."""
        if requeue:
            self.channel.services.reservations.release([delivery_tag])
        else:
            self.ack(delivery_tag)

    def restore_visible(self, *_: Any, **__: Any) -> None:
        """Renew this worker's reservations and return those of killed workers.

        Kombu's timer calls this.
        """
        if self.channel.takes_messages and (returned := self.channel.upkeep()):
            log.warning("returned %s messages to their queues", returned)


class Channel(kombu.Channel):  # type: ignore[misc]  # kombu's types are not followed
    """Reserves as many messages of one queue as the batcher has capacity for, in one round trip.

    While the queue is empty, Redis watches it for us: ``BLMOVE q q RIGHT RIGHT`` returns as soon as
    a message arrives, and removes nothing. Queues without acknowledgement, which are those of
    remote control, are consumed as kombu does.
    """

    QoS = QoS
    _queue = ""
    _is_dry = False
    """Whether the last reservation found the queue empty, and no watch was started since."""
    looks = 0
    """Number of reservations so far, with or without messages; the watchdog's sign of life."""

    def __init__(self, connection: Any, **options: Any) -> None:
        self.services: WorkerServices = connection.services
        super().__init__(connection, **options)

    @property
    def takes_messages(self) -> bool:
        """Whether this channel consumes a queue, other than one of remote control."""
        return bool(self._queue)

    def basic_consume(self, queue: str, no_ack: bool = False, **options: Any) -> Any:
        """Consume from a queue; raises `ValueError` for a second, as Redis can watch only one."""
        if not no_ack:
            if self._queue not in ("", queue):
                raise ValueError("a worker consumes one queue: start it with -Q QUEUE")
            self._queue = queue
        return super().basic_consume(queue, no_ack=no_ack, **options)

    def consume(self) -> int:
        """Reserve waiting messages and dispatch them; returns how many were reserved.

        Reserves nothing while Redis watches the queue, which is empty then. Reserves nothing on a
        closed channel, which a late reminder may call: it could not deliver the messages.
        """
        if self.closed:
            return 0
        with refusals_as_loss():
            return self._consume()

    def _consume(self) -> int:
        taken: list[tuple[str, bytes]] = []
        if (capacity := self.services.batcher.capacity) and not self._in_poll:
            taken = self._reserve(capacity)
            self._is_dry = not taken
            self.looks += 1
        for tag, message in taken:
            self._deliver(tag, message)
        self.services.batcher.dispatch()
        if self._in_poll:
            self.services.handover.note_idle()
        return len(taken)

    def _reserve(self, capacity: int) -> list[tuple[str, bytes]]:
        handover = self.services.handover
        versions = handover.idle_versions()
        worker = handover.worker if versions or handover.is_noted else ""
        taken = self.services.reservations.reserve(
            *(self._queue, capacity, MAX_ROWS, MAX_BYTES), worker, versions
        )
        handover.is_noted = bool(versions) and not taken
        return taken

    def deliver_started(self, tag: str, message: bytes) -> None:
        """Dispatch a message that was handed over to this worker."""
        with refusals_as_loss():
            self._deliver(tag, message, is_started=True)
            self.services.batcher.dispatch()

    def upkeep(self) -> int:
        """Renew this worker's reservations and return those of killed workers.

        Gives the number of messages returned to their queues.
        """
        with refusals_as_loss():
            return self.services.reservations.upkeep(
                self.services.batcher.reserved_tags(), self._queue
            )

    def maybe_refresh_binding_expiry(self) -> None:
        """Like kombu's, but a refusal reconnects: kombu would log a traceback every second."""
        with refusals_as_loss():
            super().maybe_refresh_binding_expiry()

    def _put_fanout(self, exchange: str, message: Any, routing_key: str, **_: Any) -> None:
        """Like kombu's, but passes on how many received it: events are sent to listeners alone."""
        with self.conn_or_acquire() as client:
            topic = self._get_publish_topic(exchange, routing_key)
            receivers = client.publish(topic, encode(message))
        self.services.events.published(exchange, routing_key, receivers)

    def _brpop_start(self, timeout: float | None = None) -> None:
        if not self._queue:
            super()._brpop_start(timeout)
            return
        while self.qos.can_consume():
            if self._is_dry or not self.consume():
                # After the watch, reserve before watching again. A message that came since the last
                # reservation is not missed: on a list that is not empty BLMOVE answers at once.
                self._is_dry = False
                # Not BLPOP: a message that Redis removed for a worker that died meanwhile would be
                # lost.
                self._watch("BLMOVE", self._queue, self._queue, "RIGHT", "RIGHT", WATCH_SECONDS)
                return

    def _deliver(self, tag: str, message: bytes, *, is_started: bool = False) -> None:
        fields = {"queue": self._queue, "tag": tag}
        try:
            payload = checked_message(decode(message))
            payload["properties"]["delivery_tag"] = tag
            payload["properties"]["started"] = is_started
            self.connection._deliver(payload, self._queue)  # noqa: SLF001 - kombu's own way
        except redis.RedisError:
            # Celery reconnects. What was taken with this message and is not delivered yet is in no
            # list that is renewed, so it returns to the queue after the visibility timeout.
            raise
        except (OSError, MemoryError):  # a defect of this worker, not of the message
            log.exception("a message could not be handled and returns to the queue", extra=fields)
            self.services.reservations.release([tag])
        except Exception as error:  # no content of a message may end the worker
            log.exception("a message cannot be read", extra=fields)
            self.services.burial.bury(tag, message, f"{type(error).__name__}: {error}")

    def _watch(self, *command: Any) -> None:
        self._in_poll = self.client.connection
        # Kombu drops a connection whose answer is overdue by this time.
        self._brpop_sent_at = monotonic()
        self._in_poll.send_command(*command)

    def _brpop_read(self, **options: Any) -> Any:
        if not self._queue:
            return super()._brpop_read(**options)
        # Without a watch the socket is readable only if Redis closed the connection.
        connection, self._in_poll = self._in_poll or self.client.connection, None
        # The message that BLMOVE returned is ignored: the answer only says that the queue has one.
        try:
            with refusals_as_loss():
                connection.read_response(timeout=1)
        except ResponseError:
            # A full Redis refuses BLMOVE, which is a write. Instead of watching, pause for 0.1 s by
            # a BLPOP on a list that does not exist.
            self._watch("BLPOP", "predictq:none", 0.1)
        except self.connection_errors:
            connection.disconnect()
            raise
        # For kombu there was no message: `_brpop_start` reserves what has arrived, in its next
        # turn.
        raise Empty

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """Add host and port to a Unix socket connection: redis-py reads both to count errors."""
        parameters: dict[str, Any] = super()._connparams(asynchronous)
        if "path" in parameters:
            names = {"host": "localhost", "port": 0}
            parent = parameters["connection_class"]
            parameters["connection_class"] = type("SocketConnection", (parent,), names)
        return parameters

    def _create_client(self, asynchronous: bool = False) -> Any:
        """Like kombu's, but raises `redis.ConnectionError` if the channel has lost its connection.

        Kombu would raise `AttributeError`. Celery does not take that for a lost connection, so the
        worker would hang or end.
        """
        if self.connection is None or self.connection.client is None:
            raise Disconnected("the connection of this channel is closed")
        return super()._create_client(asynchronous)


def checked_message(payload: Any) -> dict[str, Any]:
    """Return a message of Celery protocol 2; raises `Malformed` for anything else."""
    match payload:
        case {"headers": {"task": str(), "id": str()}, "properties": {}, "body": str()}:
            return cast("dict[str, Any]", payload)
    raise Malformed("a message has headers with task and id, properties, and a body")


class Transport(kombu.Transport):  # type: ignore[misc]  # kombu's types are not followed
    """Kombu's transport with our `Channel`; it connects only to a suitable Redis server."""

    Channel = Channel
    services: ClassVar[WorkerServices]
    """Set by `workers.app` in a class of its own, as kombu makes the instances."""
    server_check: ClassVar[ServerCheck]
    """Set likewise: it outlives the connections, and looks at the server closely only once."""

    def establish_connection(self) -> Any:
        """Wait until the server accepts writes, then connect; see `ServerCheck`."""
        self.server_check.wait()
        return super().establish_connection()
