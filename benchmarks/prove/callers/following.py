"""Follows accepted ids to their outcomes, through outages."""

import time
from functools import partial

import msgspec

from benchmarks.harness.wire import Response, get, post
from benchmarks.prove.callers.listener import Listener
from benchmarks.prove.callers.observed import Observed, read, read_lines
from benchmarks.prove.callers.schedule import Schedule
from benchmarks.prove.callers.tenants import Tenants
from benchmarks.prove.evidence import TERMINAL
from benchmarks.prove.faults.line import Line

RETRY_SECONDS = 0.5
"""Seconds before a retry after no answer or a 503."""
LOOK_SECONDS = 5.0
"""Seconds between two look-ups of an outcome that was not announced."""
BULK_WAIT_SECONDS = 2
"""Seconds for which one look-up waits for all outcomes of a bulk request."""


class Following:
    """Look-ups of one design's ids, when their outcomes are announced or may be missed."""

    def __init__(
        self,
        wire: Line,
        schedule: Schedule,
        listener: Listener,
        observed: Observed,
        tenants: Tenants,
    ) -> None:
        self._wire, self._schedule, self._tenants = wire, schedule, tenants
        self._listener, self._observed = listener, observed
        self.open: dict[str, float] = {}
        """Ids without an outcome, and when each was accepted."""
        self._looking: set[str] = set()

    def start(self, task_id: str) -> None:
        """Follow an id that was just accepted."""
        self.open[task_id] = time.monotonic()
        self._schedule.after(LOOK_SECONDS, partial(self._look_again, task_id))
        if task_id in self._listener.published:
            self._look(task_id)

    def look_at_news(self) -> None:
        """Look up what was announced; everything, if announcements may have been missed."""
        for task_id in self._announced():
            self._look(task_id)

    def look_at_bulk(self, ids: list[str]) -> None:
        """Ask once for many outcomes; what is missing then is looked up one by one."""
        headers = f"Prefer: wait={BULK_WAIT_SECONDS}", self._caller(ids[0])
        asked = post("/predict/results", msgspec.json.encode(ids), *headers)
        self._wire.send(asked, self._hear_bulk)

    def cancel(self, task_id: str) -> None:
        """Send a cancellation, whatever comes of it."""
        self._wire.send(self._get(task_id).replace(b"GET", b"DELETE", 1), lambda _: None)

    def _get(self, task_id: str) -> bytes:
        return get(f"/predict/result/{task_id}", self._caller(task_id))

    def _caller(self, task_id: str) -> str:
        return self._tenants.header(self._observed.accepted[task_id].tenant)

    def _announced(self) -> list[str]:
        if self._listener.missed:
            self._listener.missed = False
            return list(self.open)
        return list(self._listener.heard(self.open))

    def _look(self, task_id: str) -> None:
        if task_id in self.open and task_id not in self._looking:
            self._looking.add(task_id)
            self._wire.send(self._get(task_id), partial(self._hear, task_id))

    def _look_again(self, task_id: str) -> None:
        if task_id in self.open:
            self._look(task_id)
            self._schedule.after(LOOK_SECONDS, partial(self._look_again, task_id))

    def _hear(self, task_id: str, response: Response) -> None:
        body = read(response)
        self._looking.discard(task_id)
        if response.status in (0, 503):
            self._schedule.after(RETRY_SECONDS, partial(self._look, task_id))
        elif response.status == 200:
            self._observed.note_outcome(task_id, body)
            self.open.pop(task_id, None)
        elif response.status == 500 and task_id in self._listener.published and not body.code:
            self.open.pop(task_id, None)  # the naive design answers failures this way
        elif response.status != 202:
            told = f"{response.status} to {task_id}: {response.body[:200]!r}"
            self._observed.strange.append(told)

    def _hear_bulk(self, response: Response) -> None:
        if response.status not in (0, 200, 503):
            told = f"{response.status} to results: {response.body[:200]!r}"
            self._observed.strange.append(told)
        for body in read_lines(response):
            if body.status in TERMINAL:
                self._observed.note_outcome(body.id, body)
                self.open.pop(body.id, None)
