"""The queue of spans to export, and the thread that exports them.

Nothing waits for a collector: spans that do not fit into the queue, or that it does not take, are
lost and counted.
"""

import atexit
import importlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal

from telemetry.log_throttle import LogThrottle
from telemetry.tracing.span import TraceSpan

log = logging.getLogger(__name__)
MAX_WAITING_SPANS, MAX_EXPORTED = 2048, 512
"""Spans that wait at most, and that one request holds: as OpenTelemetry's own by default."""
DELAY = "OTEL_BSP_SCHEDULE_DELAY"
"""Environment variable with the milliseconds between two exports, 5000 by default."""
LAST_DELAY = 0.05
"""Seconds between two exports of a process that is about to end."""
END_SECONDS = 2.0
"""Seconds that the last export may hold up the end of a process."""
SpanResult = Literal["exported", "lost"]
Export = Callable[[Sequence[TraceSpan]], bool]
"""Sends spans to the collector; False if it did not take them."""


class Exporter:
    """Exports spans in a thread of its own, which begins with the first span."""

    def __init__(
        self,
        process: str,
        tell: Callable[[dict[SpanResult, int]], object],
        export: Export | None = None,
    ) -> None:
        """``process``: its name in the spans. ``tell`` adds what became of spans to the counts; if
        it raises `OSError`, they are told again with the next ones.

        ``export``: None sends them by OTLP.
        """
        self._process, self._tell, self._export = process, tell, export
        self._waiting: deque[TraceSpan] = deque()
        self._untold: dict[SpanResult, int] = {"exported": 0, "lost": 0}
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._is_over = False
        self._thread: threading.Thread | None = None
        self._delay = _delay()
        self._failures = LogThrottle()

    def add(self, spans: Sequence[TraceSpan]) -> None:
        """Queue spans; those that do not fit are lost. Never waits."""
        with self._lock:
            free = MAX_WAITING_SPANS - len(self._waiting)
            self._waiting.extend(spans[:free])
            self._untold["lost"] += max(len(spans) - free, 0)
            if self._thread is None:
                self._start()
        if len(self._waiting) >= MAX_EXPORTED:
            self._wake.set()

    def hasten(self) -> None:
        """Export what waits now, and all that comes at once: the process is about to end."""
        self._delay = LAST_DELAY
        self._wake.set()

    def end(self) -> None:
        """Export what waits, for `END_SECONDS` at most."""
        self._is_over = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(END_SECONDS)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()
        atexit.register(self.end)

    def _run(self) -> None:
        while not self._is_over or self._waiting:
            if not self._is_over:
                self._wake.wait(self._delay)
                self._wake.clear()
            self._export_all()

    def _export_all(self) -> None:
        while self._waiting:
            with self._lock:
                many = min(len(self._waiting), MAX_EXPORTED)
                spans = [self._waiting.popleft() for _ in range(many)]
            result: SpanResult = "exported" if self._is_exported(spans) else "lost"
            with self._lock:
                self._untold[result] += len(spans)
        self._tell_counts()

    def _is_exported(self, spans: Sequence[TraceSpan]) -> bool:
        try:
            if self._export is None:
                # The library takes 14 MB: only a process that has a span to export loads it.
                otlp = importlib.import_module("telemetry.tracing.otlp")
                self._export = otlp.exporting(self._process)
            is_exported = self._export(spans)
        except Exception as error:  # noqa: BLE001 - whatever fails there must not end the thread
            return self._failed(len(spans), repr(error))
        return is_exported or self._failed(len(spans), "the collector did not take them")

    def _failed(self, many: int, reason: str) -> Literal[False]:
        if self._failures.count():
            log.warning("%s spans are lost: %s", many, reason)
        return False

    def _tell_counts(self) -> None:
        with self._lock:
            told = {result: many for result, many in self._untold.items() if many}
        if not told:
            return
        # Redis may be away: the counts are kept for the next time.
        with suppress(Exception):
            self._tell(told)
            with self._lock:
                for result, many in told.items():
                    self._untold[result] -= many


def _delay() -> float:
    """Seconds between two exports."""
    given = os.environ.get(DELAY, "")
    return int(given) / 1000 if given.isdecimal() else 5.0
