"""Hears, from Redis itself, of which ids the outcome was published: when to look."""

import threading
import time
from collections import deque
from collections.abc import Callable, Container, Iterator
from typing import Any

import redis

PREFIX = "celery-task-meta-"
"""Of the channel of each id, which both designs share with stock Celery."""
AGAIN = 0.2
"""Seconds until it tries again to reach a Redis that is away."""


class Listener(threading.Thread):
    """A thread; what Redis says while it is away is not heard."""

    def __init__(self, connect: Callable[[], redis.Redis]) -> None:
        super().__init__(name="listener", daemon=True)
        self._connect, self._over = connect, threading.Event()
        self._news: deque[str] = deque()
        self.published: set[str] = set()
        self.missed = False
        """Whether something may have been published that it did not hear."""

    def heard(self, wanted: Container[str]) -> Iterator[str]:
        """Those of the ids that are wanted of which there is news."""
        while self._news:
            if (task_id := self._news.popleft()) in wanted:
                yield task_id

    def run(self) -> None:
        """Until `stop`."""
        while not self._over.is_set():
            try:
                with self._connect() as client:
                    self._listen(client)
            except redis.RedisError:
                time.sleep(AGAIN)

    def stop(self) -> None:
        """Hear no more."""
        self._over.set()
        self.join()

    def _listen(self, client: redis.Redis) -> None:
        untyped: Any = client
        with untyped.pubsub(ignore_subscribe_messages=True) as channel:
            channel.psubscribe(PREFIX + "*")
            channel.get_message(timeout=AGAIN)  # from here on it hears
            self.missed = True
            while not self._over.is_set():
                if message := channel.get_message(timeout=AGAIN):
                    task_id = message["channel"].decode().removeprefix(PREFIX)
                    self.published.add(task_id)
                    self._news.append(task_id)
