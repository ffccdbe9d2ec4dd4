"""The life of a pool's process: born with models, it computes one batch at a time, and ends when
its worker hangs up.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import redis

from registry.store import GLANCE, Registry
from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.settlement import Settled
from tasks.settings import Settings
from workers.computing import Computation
from workers.engine import SklearnEngine
from workers.frames import Batch, Done, Ready, receive, send

log = logging.getLogger(__name__)
RETRY_AFTER = 0.5
"""Seconds after which one tries again to reach a Redis that is away."""
Result = TypeVar("Result")


def serve(connection: socket.socket, engine: SklearnEngine, settings: Settings) -> None:
    """Compute what comes over the connection until it is closed."""
    ledger = PatientLedger(connect(settings.redis_url, timeout=5), settings)
    computation = Computation(engine, Registry(settings.home, GLANCE), ledger, limited)
    send(connection, Ready(os.getpid(), engine.held()))
    while (batch := receive(connection)) is not None:
        send(connection, _computed(computation, batch))


def _computed(computation: Computation, batch: Batch) -> Done:
    started = time.perf_counter()
    verdicts = computation.run(batch.items)
    return Done(verdicts, time.perf_counter() - started)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """End this process where what is done meanwhile takes longer than so many seconds."""
    # The system ends a process whose alarm nobody handles, be it stuck in native code or orphaned.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


class PatientLedger(Ledger):
    """Waits for a Redis that is away: what was computed must not be lost for it."""

    def start(
        self, tagged_ids: Sequence[tuple[str, str]], deadlines: Sequence[float | None] = ()
    ) -> list[int]:
        """See `Ledger`."""
        return _patiently(lambda: super(PatientLedger, self).start(tagged_ids, deadlines))

    def settle(self, version: str, outcomes: Sequence[Settled]) -> int:
        """See `Ledger`."""
        return _patiently(lambda: super(PatientLedger, self).settle(version, outcomes))

    def postpone(self, tagged_ids: Sequence[tuple[str, str]], *, suspect: bool) -> list[str]:
        """See `Ledger`."""
        return _patiently(lambda: super(PatientLedger, self).postpone(tagged_ids, suspect=suspect))


def _patiently(call: Callable[[], Result]) -> Result:
    while True:
        try:
            return call()
        except redis.RedisError as error:
            log.warning("the ledger cannot be reached: %s", error)
            time.sleep(RETRY_AFTER)
