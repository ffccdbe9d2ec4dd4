"""The main loop of a pool process: it computes one microbatch at a time until its worker hangs up.

The process is forked with the models already loaded.
"""

import importlib
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import count
from typing import Any

from msgspec import UNSET, UnsetType

from registry.store import RECHECK_INTERVAL, Registry
from tasks.drift.counts import DriftCounts
from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.predictions.attempts import Postponement, Start
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.server.retry_redis import retry_until_answered
from tasks.settings import Settings
from tasks.shadows.shadows import Shadows
from tasks.time_limits import BACKOFF
from telemetry.tracing.span import TraceSpan
from workers.compute.call_counter import CallCounter
from workers.compute.microbatch import Computation
from workers.compute.shadowing import Shadowing
from workers.drift.counter import DriftCounter, NoteRows
from workers.models.engine import Engine
from workers.pool.output_limit import limit_printing
from workers.protocol import Disposition, Done, Item, Microbatch, Ready, Step, receive, send_frame
from workers.wear import Wear

log = logging.getLogger(__name__)
UNCOUNTED_SECONDS = 0.5
"""Seconds without work after which what was noted for drift and of calls is counted."""


def serve(
    connection: socket.socket,
    engine: Engine,
    settings: Settings,
    environment: str | UnsetType = UNSET,
) -> None:
    """Compute each microbatch or step that arrives on the connection, until it is closed.

    ``environment``: that of its deployment, for receipts. Returns sooner once the process is worn,
    see `Wear`; the worker forks another one.
    """
    ledger = RetryingLedger(connect(settings.redis_url, timeout=5), settings)
    registry = Registry(settings.home, RECHECK_INTERVAL)
    most = settings.max_outcome_bytes
    drift = DriftCounter(registry, DriftCounts(ledger.client))
    calls = CallCounter(ledger.client)
    shadowing = Shadowing(registry, Shadows(ledger.client))
    spans: list[TraceSpan] = []
    computation = Computation(
        *(engine, registry, ledger, most, limited, environment, drift.note, shadowing),
        note_call=calls.note,
        note_spans=spans.extend,
    )
    steps = _Steps(engine, settings, drift.note, spans.extend)
    printed, wear, reason = limit_printing(), Wear(), ""
    # Held by a process that a model forks, it would hide the end of this one from the worker.
    os.register_at_fork(after_in_child=connection.close)
    send_frame(connection, Ready(os.getpid(), engine.held()))
    while not reason and (frame := _received(connection, drift, calls)) is not None:
        started = time.perf_counter()
        printed.reset()
        match frame:
            case Microbatch(items):
                dispositions = computation.run(items)
            case Step(item):
                dispositions = [steps.perform(item)]
        if reason := wear.reason():
            log.warning("this process is replaced by another: %s", reason)
        seconds = time.perf_counter() - started
        send_frame(connection, Done(dispositions, seconds, bool(reason), spans))
        spans.clear()
        for counter in (drift, calls):
            counter.write_if_due()


def _received(connection: socket.socket, *counters: DriftCounter | CallCounter) -> Any:
    """The next frame; if none comes for a while, what was counted is written first."""
    waiting = [counter for counter in counters if counter.waits]
    if waiting and not select.select([connection], (), (), UNCOUNTED_SECONDS)[0]:
        for counter in waiting:
            counter.write()
    return receive(connection)


class _Steps:
    """Performs steps of jobs. Imports the job code at the first step: predictions need none."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        note: NoteRows,
        note_spans: Callable[[list[TraceSpan]], object],
    ) -> None:
        self._engine, self._settings = engine, settings
        self._notes = note, note_spans

    def perform(self, item: Item) -> Disposition:
        """See `workers.jobs.performing.Performer`."""
        done: Disposition = self._performer.perform(item)
        return done

    @cached_property
    def _performer(self) -> Any:
        performing = importlib.import_module("workers.jobs.performing")
        return performing.Performer(self._engine, self._settings, limited, *self._notes)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Kill this process if the block takes longer than ``seconds``."""
    # The default action of SIGALRM ends the process, even one that is stuck in native code or has
    # lost its worker.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:  # a timer left running would end this process during later work
        signal.setitimer(signal.ITIMER_REAL, 0)


class RetryingLedger(Ledger):
    """A ledger that retries until Redis answers, so that computed predictions are not lost."""

    def start(
        self,
        tagged_ids: Sequence[tuple[str, str]],
        deadlines: Sequence[float | None] = (),
        *,
        again: bool = False,
    ) -> list[Start]:
        """See `Ledger`."""
        ask = super().start
        # From the second try on `again` is true: Redis may have run the first without our hearing.
        times = count(int(again))
        return retry_until_answered(lambda: ask(tagged_ids, deadlines, again=next(times) > 0))

    def settle(self, version: str, outcomes: Sequence[Settled]) -> int:
        """See `Ledger`."""
        # Safe to repeat: what a call wrote whose answer was lost stands, and counts once.
        return retry_until_answered(lambda: super(RetryingLedger, self).settle(version, outcomes))

    def postpone(
        self, tagged_ids: Sequence[tuple[str, str]], *, suspect: bool, backoff: float = BACKOFF
    ) -> list[Postponement]:
        """See `Ledger`."""
        # Safe to repeat: after a first call the tags are void, and the script changes nothing.
        ask = partial(super().postpone, tagged_ids, suspect=suspect, backoff=backoff)
        return retry_until_answered(ask)
