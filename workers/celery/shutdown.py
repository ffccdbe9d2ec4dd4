"""Shutdown of a worker: running predictions get time to finish, the rest returns to the queue."""

import contextlib
import logging
import os
import time
from collections.abc import Iterable
from typing import Any

import redis
from celery.signals import worker_shutting_down

from tasks.ledger.ledger import connect
from tasks.ledger.queue.reservations import Reservations
from tasks.settings import Settings
from tasks.wire import decode
from workers.handover import Handover
from workers.microbatch.batcher import Batcher
from workers.microbatch.intake import Intake
from workers.pool.fork_server_client import STOP_GRACE
from workers.pool.pools import Pools

log = logging.getLogger(__name__)
KEEP_SECONDS = 1.0
"""Seconds between two renewals of the reservations that still run."""
SHOWN_IDS = 100
"""Most ids that the log line about interrupted predictions lists."""


class Shutdown:
    """Ends in order at the first signal, and immediately at the second."""

    def __init__(
        self,
        intake: Intake,
        handover: Handover,
        batcher: Batcher,
        pool: Pools,
        settings: Settings,
    ) -> None:
        self._intake, self._handover = intake, handover
        self._batcher, self._pool = batcher, pool
        self._drain_timeout = max(settings.shutdown_timeout - STOP_GRACE, 0.0)
        self._asked_at: float | None = None
        # A connection of its own: the second signal may come while the worker's is in use.
        client = connect(settings.redis_url)
        self._reservations = Reservations(client, settings.visibility_timeout, settings.result_ttl)
        worker_shutting_down.connect(self._asked)

    def in_order(self) -> None:
        """Return waiting messages to the queue, and wait for running ones until the timeout."""
        # First, as messages that are given back would otherwise be reserved again at once.
        self._intake.close()
        self._give_back(self._handed_over())
        # No signal asked for this shutdown: the watchdog, or a fork server that died, ends this
        # worker.
        end = (self._asked_at or time.monotonic()) + self._drain_timeout
        while not self._pool.drain(min(max(end - time.monotonic(), 0.0), KEEP_SECONDS)):
            if time.monotonic() >= end:
                self._interrupt()
                return
            # Without Redis, the pool processes cannot settle either; they wait for Redis as well.
            with contextlib.suppress(redis.RedisError):
                self._reservations.upkeep(self._batcher.reserved_tags())
        # A process that died while draining has put its messages back among the waiting.
        self._give_back()

    def _handed_over(self) -> list[tuple[str, str]]:
        """Tags and ids of messages that came over the subscription and are not delivered."""
        try:
            return [
                (tag, decode(message)["headers"]["id"]) for tag, message in self._handover.close()
            ]
        except redis.RedisError as error:
            log.debug("what was handed over returns when its reservation ends: %s", error)
            return []

    def _asked(self, **_: Any) -> None:
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            return
        self._interrupt()
        # Not `sys.exit`: exit handlers and threads could keep the process, and a second signal is
        # an order to end now.
        os._exit(os.EX_TEMPFAIL)

    def _interrupt(self) -> None:
        running = self._batcher.running()
        self._pool.interrupt()
        fields = {
            "predictions": len(running),
            "ids": [task_id for _, task_id in running[:SHOWN_IDS]],
        }
        log.warning("predictions are interrupted; they go back to the queue", extra=fields)
        self._give_back(running)

    def _give_back(self, running: Iterable[tuple[str, str]] = ()) -> None:
        """Return what waits and what was ``running``, tags and ids, to the queue."""
        started = [*running, *self._batcher.take_back_started()]
        waiting = self._batcher.take_back_waiting()
        try:
            self._reservations.release(waiting)
            self._reservations.withdraw(started, alone=False)
            # These two only make messages due. This returns them now, not at another worker's
            # next upkeep: there may be no other worker.
            self._reservations.upkeep(())
        except redis.RedisError as error:
            log.warning(
                "Redis is unavailable; another worker will return what this one had reserved: %s",
                error,
            )
