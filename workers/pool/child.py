"""The life of a pool's process: born with models, it computes one batch at a time, and ends when
its worker hangs up.
"""

import importlib
import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import count
from typing import Any

from registry.store import RECHECK_INTERVAL, Registry
from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.predictions.settlement import Settled
from tasks.settings import Settings
from tasks.time_limits import BACKOFF
from workers.compute.microbatch import Computation
from workers.compute.retry_redis import patiently
from workers.models.engine import Engine
from workers.pool.printing import bound
from workers.pool.protocol import Done, Fate, Item, Microbatch, Ready, Step, receive, send


def serve(connection: socket.socket, engine: Engine, settings: Settings) -> None:
    """Compute what comes over the connection until it is closed."""
    ledger = PatientLedger(connect(settings.redis_url, timeout=5), settings)
    registry = Registry(settings.home, RECHECK_INTERVAL)
    computation = Computation(engine, registry, ledger, settings.max_outcome_bytes, limited)
    steps = _Steps(engine, settings)
    printed = bound()
    send(connection, Ready(os.getpid(), engine.held()))
    while (frame := receive(connection)) is not None:
        started = time.perf_counter()
        printed.renew()
        match frame:
            case Microbatch(items):
                fates = computation.run(items)
            case Step(item):
                fates = [steps.perform(item)]
        send(connection, Done(fates, time.perf_counter() - started))


class _Steps:
    """What jobs need is imported with the first step: single predictions need none of it."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings

    def perform(self, item: Item) -> Fate:
        """See `workers.jobs.performing`."""
        done: Fate = self._performer.perform(item)
        return done

    @cached_property
    def _performer(self) -> Any:
        performing = importlib.import_module("workers.jobs.performing")
        return performing.Performer(self._engine, self._settings, limited)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """End this process where what is done meanwhile takes longer than so many seconds."""
    # The system ends a process whose alarm nobody handles, be it stuck in native code or orphaned.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:  # else it would end this process in the middle of something else, minutes later
        signal.setitimer(signal.ITIMER_REAL, 0)


class PatientLedger(Ledger):
    """Waits for a Redis that is away: what was computed must not be lost for it."""

    def start(
        self,
        tagged_ids: Sequence[tuple[str, str]],
        deadlines: Sequence[float | None] = (),
        *,
        again: bool = False,
    ) -> list[int]:
        """See `Ledger`."""
        ask = super().start
        times = count(int(again))
        return patiently(lambda: ask(tagged_ids, deadlines, again=next(times) > 0))

    def settle(self, version: str, outcomes: Sequence[Settled]) -> int:
        """See `Ledger`."""
        return patiently(lambda: super(PatientLedger, self).settle(version, outcomes))

    def postpone(
        self, tagged_ids: Sequence[tuple[str, str]], *, suspect: bool, backoff: float = BACKOFF
    ) -> list[str]:
        """See `Ledger`."""
        ask = partial(super().postpone, tagged_ids, suspect=suspect, backoff=backoff)
        return patiently(ask)
