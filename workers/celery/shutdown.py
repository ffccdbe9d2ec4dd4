"""The end of a worker: what runs may finish for a while, what it holds goes back to the queue."""

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
from workers.microbatch.batcher import Batcher
from workers.pool.fork_server_client import STOP_GRACE
from workers.pool.pool import Pool

log = logging.getLogger(__name__)
KEEP_SECONDS = 1.0
"""Seconds after which what still runs is kept once more."""
SHOWN_IDS = 100
"""Ids in the line about what is interrupted."""


class Shutdown:
    """In order at the first signal, at once at the second."""

    def __init__(self, pool: Pool, batcher: Batcher, settings: Settings) -> None:
        self._pool, self._batcher = pool, batcher
        self._patience = max(settings.shutdown_timeout - STOP_GRACE, 0.0)
        self._asked_at: float | None = None
        # Not over the worker's own connections: the second signal may come while one is in use.
        client = connect(settings.redis_url)
        self._reservations = Reservations(client, settings.visibility_timeout, settings.result_ttl)
        worker_shutting_down.connect(self._asked)

    def in_order(self) -> None:
        """Let finish what runs, while there is time; give everything else back."""
        self._pool.on_idle = lambda: None  # nothing more is begun
        self._give_back(self._batcher.give_up_waiting())
        end = (self._asked_at or time.monotonic()) + self._patience
        while not self._pool.drain(min(max(end - time.monotonic(), 0.0), KEEP_SECONDS)):
            if time.monotonic() >= end:
                self._interrupt()
                return
            with contextlib.suppress(redis.RedisError):  # the processes wait for it, too
                self._reservations.upkeep(self._batcher.held())
        self._give_back(self._batcher.give_up_waiting())  # of a process that died meanwhile

    def _asked(self, **_: Any) -> None:
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            return
        self._interrupt()
        os._exit(os.EX_TEMPFAIL)

    def _interrupt(self) -> None:
        running = self._batcher.running()
        self._pool.interrupt()
        fields = {
            "predictions": len(running),
            "ids": [task_id for _, task_id in running[:SHOWN_IDS]],
        }
        log.warning("predictions are interrupted; they go back to the queue", extra=fields)
        self._give_back(self._batcher.give_up_waiting(), running)

    def _give_back(self, waiting: Iterable[str], running: Iterable[tuple[str, str]] = ()) -> None:
        try:
            self._reservations.release(waiting)
            self._reservations.withdraw(running)
            self._reservations.upkeep(())
        except redis.RedisError as error:
            log.warning("Redis is away; another worker will find what this one held: %s", error)
