"""Subscribes to Redis to learn which ids have an outcome, and so when to look them up."""

import threading
import time
from collections import deque
from collections.abc import Callable, Container, Iterator
from typing import Any

import redis

PREFIX = "celery-task-meta-"
"""Prefix of each id's channel, which both designs share with stock Celery."""
POLL_SECONDS = 0.2
"""Seconds before reconnecting to Redis."""


class Listener(threading.Thread):
    """A subscriber thread; messages during an outage are missed."""

    def __init__(self, connect: Callable[[], redis.Redis]) -> None:
        super().__init__(name="listener", daemon=True)
        self._connect, self._over = connect, threading.Event()
        self._news: deque[str] = deque()
        self.published: set[str] = set()
        self.missed = False
        """Whether messages may have been missed."""

    def heard(self, wanted: Container[str]) -> Iterator[str]:
        """Yield those of the wanted ids whose outcome was published."""
        while self._news:
            if (task_id := self._news.popleft()) in wanted:
                yield task_id

    def run(self) -> None:
        """Listen until `stop`."""
        while not self._over.is_set():
            try:
                with self._connect() as client:
                    self._listen(client)
            except redis.RedisError:
                time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        self.join()

    def _listen(self, client: redis.Redis) -> None:
        untyped: Any = client
        with untyped.pubsub(ignore_subscribe_messages=True) as channel:
            channel.psubscribe(PREFIX + "*")
            channel.get_message(timeout=POLL_SECONDS)  # subscribed from here on
            self.missed = True
            while not self._over.is_set():
                if message := channel.get_message(timeout=POLL_SECONDS):
                    task_id = message["channel"].decode().removeprefix(PREFIX)
                    self.published.add(task_id)
                    self._news.append(task_id)
