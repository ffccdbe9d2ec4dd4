"""Ends a worker that takes nothing though it could: its supervisor starts another."""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
from celery import bootsteps
from celery.worker import state

from tasks.ledger.ledger import connect
from tasks.settings import Settings
from workers.celery.strategy import batcher_of
from workers.microbatch.batcher import Batcher

log = logging.getLogger(__name__)
LOOK_INTERVAL = 1.0
"""Seconds between two looks; a look that finds nothing to do costs one round trip."""
STALLED = 8
"""Looks in a row, all in vain, after which a worker is stalled. Looks are counted, not seconds: one
that was frozen as a whole goes on before it has had as many."""
STOP_TIMEOUT = 5.0
"""Seconds in which the loop must show that it ends in order, if it still turns."""
EXIT_TIMEOUT = 60.0
"""Seconds in which it must have ended then."""

Sign = tuple[str, int]


class Watchdog(threading.Thread):
    """Looks, from beside the loop, whether the loop gets on while there is work for it."""

    def __init__(self, sign: Callable[[], Sign], waiting: Callable[[], int]) -> None:
        """``sign`` changes as long as the worker gets on; ``waiting``: messages on its queue."""
        super().__init__(name="stalls", daemon=True)
        self._sign, self._waiting = sign, waiting
        self._over = threading.Event()

    def run(self) -> None:
        """Until the worker is stalled, or the watch is over."""
        before, vain = self._sign(), 0
        while not self._over.wait(LOOK_INTERVAL):
            now = self._sign()
            vain = vain + 1 if now == before and self._is_work() else 0
            before = now
            if vain >= STALLED:
                self._end(now[0])

    def close(self) -> None:
        """The loop is about to stop, or to connect again: that is nobody's stall."""
        self._over.set()

    def _end(self, why: str) -> None:
        # What runs is settled by the processes themselves; what waits here goes back to the queue.
        log.critical("this worker is stalled and ends: messages wait, but %s", why)
        state.should_stop = os.EX_SOFTWARE
        if self._over.wait(STOP_TIMEOUT):
            time.sleep(EXIT_TIMEOUT)
        os._exit(os.EX_SOFTWARE)

    def _is_work(self) -> bool:
        try:
            return self._waiting() > 0
        except redis.RedisError:  # without Redis nobody gets on
            return False


class WatchdogStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """A step of the consumer: it watches while messages are taken."""

    requires = ("workers.celery.consumer:BatchingStep",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._client = connect(Settings.from_environment().redis_url)
        self._watch: Watchdog | None = None

    def start(self, consumer: Any) -> None:
        """Start to watch, with each connection to the broker."""
        channel, batcher = consumer.task_consumer.channel, batcher_of(consumer)
        ticks = [0]

        def tick() -> None:
            ticks[0] += 1

        self._tick = consumer.timer.call_repeatedly(LOOK_INTERVAL / 2, tick)

        def sign() -> Sign:
            # One that has no room may take its time, as long as its loop turns.
            if has_room(batcher):
                return "a process is free, and nothing is taken", channel.looks
            return "its loop stands still", ticks[0]

        (queue,) = consumer.app.amqp.queues.consume_from
        self._watch = Watchdog(sign, lambda: int(self._client.llen(queue)))
        self._watch.start()

    def stop(self, consumer: Any) -> None:
        """Watch no more."""
        if self._watch is not None:
            self._watch.close()
            self._tick.cancel()
            self._watch = None

    terminate = stop


def has_room(batcher: Batcher) -> bool:
    """Whether it would take messages now, as seen from beside the loop."""
    try:
        return batcher.room > 0
    except RuntimeError:  # its books changed under our eyes, so the loop turns
        return False
