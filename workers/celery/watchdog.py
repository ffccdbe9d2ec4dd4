"""Ends a stalled worker: one that could take messages and takes none. Its supervisor restarts
it.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis
from celery import bootsteps
from celery.worker import state

from tasks.ledger.queue.stalls import note_stall
from workers.services import WorkerServices

log = logging.getLogger(__name__)
LOOK_INTERVAL = 1.0
"""Seconds between two checks. A check makes at most one round trip to Redis."""
STALLED_CHECKS = 8
"""Checks in a row without progress after which a worker is stalled. Checks are counted rather than
seconds: a worker that was frozen as a whole, watchdog included, resumes before the count is full.
"""
STOP_TIMEOUT = 5.0
"""Seconds in which the loop must begin an orderly shutdown; otherwise the process exits."""
EXIT_MARGIN = 30.0
"""Seconds that an orderly shutdown may take beyond `PREDICTQ_SHUTDOWN_TIMEOUT`."""

Sign = tuple[str, int]


class Watchdog(threading.Thread):
    """Thread that checks whether the worker's event loop makes progress while messages wait."""

    def __init__(
        self,
        sign: Callable[[], Sign],
        waiting: Callable[[], int],
        note: Callable[[], None],
        shutdown_timeout: float,
    ) -> None:
        """``sign`` gives a value that changes with progress; ``waiting`` the queue's length.

        ``note`` counts a stall. ``shutdown_timeout``: seconds that running predictions get in an
        orderly shutdown.
        """
        super().__init__(name="stalls", daemon=True)
        self._sign, self._waiting, self._note = sign, waiting, note
        self._exit_timeout = shutdown_timeout + EXIT_MARGIN
        self._over = threading.Event()

    def run(self) -> None:
        """Check until the worker is stalled or the watchdog is closed."""
        before, unchanged = self._sign(), 0
        while not self._over.wait(LOOK_INTERVAL):
            now = self._sign()
            unchanged = unchanged + 1 if now == before and self._is_work() else 0
            before = now
            if unchanged >= STALLED_CHECKS:
                self._end(now[0])

    def close(self) -> None:
        """Stop watching: the loop is about to stop or to reconnect, which is no stall."""
        self._over.set()

    def _end(self, why: str) -> None:
        # Pool processes settle what they compute; messages that wait here return to the queue.
        log.critical("this worker is stalled and ends: messages wait, but %s", why)
        state.should_stop = os.EX_SOFTWARE
        with suppress(redis.RedisError):
            self._note()
        # The loop closes this watchdog when it begins to shut down. A loop that stands still does
        # not, so its process ends without an orderly shutdown.
        if self._over.wait(STOP_TIMEOUT):
            time.sleep(self._exit_timeout)
        os._exit(os.EX_SOFTWARE)

    def _is_work(self) -> bool:
        try:
            return self._waiting() > 0
        except redis.RedisError:  # without Redis no worker can make progress
            return False


class WatchdogStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Consumer step that runs the watchdog while the worker takes messages."""

    requires = ("workers.celery.consumer:BatchingStep",)

    def __init__(self, consumer: Any, *, services: WorkerServices, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._client, self._batcher = services.client, services.batcher
        self._shutdown_timeout = services.settings.shutdown_timeout
        self._watch: Watchdog | None = None

    def start(self, consumer: Any) -> None:
        """Start a watchdog; Celery calls this at each connection to the broker."""
        channel = consumer.task_consumer.channel
        ticks = [0]

        def tick() -> None:
            ticks[0] += 1

        # Twice for each check, so that a loop that runs has ticked between any two checks.
        self._tick = consumer.timer.call_repeatedly(LOOK_INTERVAL / 2, tick)

        def sign() -> Sign:
            # A worker without capacity need not take messages, but its loop must still turn. A
            # change from one case to the other is progress, too: the first half differs.
            if self._batcher.seen_capacity:
                return "a process is free, and no message is reserved", channel.looks
            return "its event loop does not run", ticks[0]

        (queue,) = consumer.app.amqp.queues.consume_from
        self._watch = Watchdog(
            sign,
            lambda: int(self._client.llen(queue)),
            lambda: note_stall(self._client),
            self._shutdown_timeout,
        )
        self._watch.start()

    def stop(self, consumer: Any) -> None:
        """Stop the watchdog."""
        if self._watch is not None:
            self._watch.close()
            self._tick.cancel()
            self._watch = None

    terminate = stop
