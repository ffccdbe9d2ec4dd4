"""Wake-ups by publish: one subscription connection per process, one event per waiting request."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from telemetry.log_throttle import LogThrottle

log = logging.getLogger(__name__)


class Watcher:
    """Wakes threads that wait for a batch job or a prediction when a script publishes a change.

    A wake-up may be missed (a lost connection), so waiters also look from time to time.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._pubsub = client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # redis-py has no type here
        self._lock = threading.Lock()
        self._losses = LogThrottle()
        self._waiting: dict[str, set[threading.Event]] = defaultdict(set)
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, channel: str) -> Iterator[threading.Event]:
        """An event that is set once a script publishes on a channel, the key of a job or record."""
        event = threading.Event()
        try:
            with self._lock:
                self._waiting[channel].add(event)
                self._pubsub.subscribe(channel)
                self._ensure_listening()
            yield event
        finally:
            with self._lock:
                self._leave(channel, event)

    def _leave(self, channel: str, event: threading.Event) -> None:
        self._waiting[channel].discard(event)
        if not self._waiting[channel]:
            del self._waiting[channel]
            try:
                self._pubsub.unsubscribe(channel)
            # The request has its answer, and a publication without waiters wakes none.
            except redis.RedisError:
                log.debug("could not unsubscribe", extra={"channel": channel})

    def _ensure_listening(self) -> None:
        if self._thread is None:  # not at import: servers fork after it
            self._thread = threading.Thread(target=self._listen, name="watcher", daemon=True)
            self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                message = self._pubsub.get_message(timeout=0.5)
            except Exception as error:  # noqa: BLE001 - all waits depend on this thread
                if many := self._losses.count():
                    log.warning("lost the subscription %s times, the last: %r", many, error)
                time.sleep(0.5)
                continue
            if message:
                self._wake(message["channel"].decode())

    def _wake(self, channel: str) -> None:
        with self._lock:
            # `get`, as indexing would add channels that were left meanwhile.
            for event in self._waiting.get(channel, ()):
                event.set()
