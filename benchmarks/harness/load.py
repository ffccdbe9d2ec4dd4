"""Load generation: closed loops (fixed number in flight) and open loops (fixed rate)."""

import heapq
import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import msgspec

from benchmarks.harness.wire import LoadFailed, Response, Then, Wire, get

CONNECTIONS = 32
POLL = 0.005
"""Seconds between two look-ups of an outcome."""
OUTCOMES_WITHIN = 300.0
"""Seconds to wait for all outcomes of a load."""
RETRY_SECONDS, MAX_RETRIES = 0.1, 100
"""Seconds before a request is retried after a 503, and the retries allowed in one load. While
the disk is slow to sync, Redis may answer later than the HTTP server waits."""
_id = re.compile(rb'"id": ?"([^"]+)"')
_now = time.perf_counter


class Accepted(msgspec.Struct):
    """Accepted submissions: the ids, and the index of each one's request."""

    ids: list[str]
    requests: list[int]
    started: float
    ended: float = 0.0
    again: int = 0
    """Number of retries after a 503."""

    def note(self, request: int, response: Response) -> None:
        """Record a 202."""
        self.ids.append(_accepted_id(response))
        self.requests.append(request)


class Outcomes(msgspec.Struct):
    """Bodies of outcomes, one per id in order, and the time of the last one."""

    bodies: list[bytes]
    ended: float


class Callers:
    """Predictions in flight: each is submitted, then polled until its outcome."""

    def __init__(self, wire: Wire, poll: float = POLL) -> None:
        self._wire, self._poll = wire, poll
        self._plan: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self.again = 0
        """Number of retries after a 503."""
        self.pending_at = 0.0
        """When a look-up last found no outcome."""

    def at(self, due: float, act: Callable[[], None]) -> None:
        """Schedule a call for a time of the performance counter."""
        heapq.heappush(self._plan, (due, next(self._number), act))

    def ask(self, request: bytes, then: Then) -> None:
        """Send a request, and poll its prediction until the outcome."""
        self.send(request, partial(self._hear, then))

    def send(self, request: bytes, then: Then) -> None:
        """Send a request, with retries after a 503."""
        self._wire.send(request, partial(self._insist, request, then))

    def run(self) -> None:
        """Run until all scheduled calls and their consequences are done."""
        deadline = _now() + OUTCOMES_WITHIN
        while self._plan or self._wire.busy:
            while self._plan and self._plan[0][0] <= _now():
                heapq.heappop(self._plan)[2]()
            self._wire.turn(self._plan[0][0] - _now() if self._plan else 1.0)
            if _now() > deadline:
                raise LoadFailed(f"predictions had no outcome after {OUTCOMES_WITHIN:.0f} s")

    def _insist(self, request: bytes, then: Then, response: Response) -> None:
        if response.status != 503 or self.again == MAX_RETRIES:
            then(response)
            return
        self.again += 1
        self.at(_now() + RETRY_SECONDS, partial(self.send, request, then))

    def _hear(self, then: Then, response: Response) -> None:
        if response.status == 200:
            then(response)
            return
        self.pending_at = _now()
        again = get(f"/predict/result/{_accepted_id(response)}")
        self.at(self.pending_at + self._poll, partial(self.ask, again, then))


def submit(port: int, requests: list[bytes], seconds: float, most: int = 1 << 62) -> Accepted:
    """Closed loop on acceptance: each of 32 connections sends its next request after its 202."""
    accepted = Accepted([], [], _now())
    turn = itertools.cycle(range(len(requests)))

    def send() -> None:
        index = next(turn)
        callers.send(requests[index], partial(note, index))

    def note(index: int, response: Response) -> None:
        accepted.note(index, response)
        if _now() < end and len(accepted.ids) + CONNECTIONS <= most:
            send()

    end = accepted.started + seconds
    with _callers(port) as callers:
        for _ in range(min(CONNECTIONS, most)):
            send()
        callers.run()
    accepted.ended, accepted.again = _now(), callers.again
    return accepted


def submit_at(port: int, requests: list[bytes], rate: float, seconds: float) -> Accepted:
    """Open loop on acceptance: one request every ``1 / rate`` seconds, whatever the answers."""
    accepted = Accepted([], [], _now())
    with _callers(port) as callers:
        for number in range(max(1, round(rate * seconds))):
            index = number % len(requests)
            due = accepted.started + number / rate
            callers.at(due, partial(callers.send, requests[index], partial(accepted.note, index)))
        callers.run()
    accepted.ended, accepted.again = _now(), callers.again
    return accepted


def latencies(port: int, requests: list[bytes], rate: float, seconds: float) -> list[float]:
    """Open loop on outcomes; returns seconds from the time each request was due to its outcome."""
    taken: list[float] = []
    with _callers(port) as callers:
        start = _now() + 0.05
        for number in range(max(1, round(rate * seconds))):
            due = start + number / rate
            request = requests[number % len(requests)]
            note = partial(lambda due, _: taken.append(_now() - due), due)
            callers.at(due, partial(callers.ask, request, note))
        callers.run()
    return taken


def answer(
    port: int, requests: list[bytes], seconds: float, callers_at_once: int = CONNECTIONS
) -> float:
    """Closed loop on outcomes; returns predictions per second of callers that each wait."""
    turn = itertools.cycle(requests)
    count = 0

    def note(_: Response) -> None:
        nonlocal count
        count += 1
        if _now() < end:
            callers.ask(next(turn), note)

    start = _now()
    end = start + seconds
    with _callers(port) as callers:
        for _ in range(callers_at_once):
            callers.ask(next(turn), note)
        callers.run()
    return count / (_now() - start)


def wait_for(port: int, task_id: str) -> Outcomes:
    """Wait for an outcome, polling rarely, because polling costs CPU that is being measured."""
    return _outcomes(port, [task_id], poll=0.02)


def collect(port: int, ids: list[str]) -> Outcomes:
    """Fetch all outcomes, the latest first, since those may still be missing."""
    found = _outcomes(port, ids[::-1], poll=POLL)
    return Outcomes(found.bodies[::-1], found.ended)


def _outcomes(port: int, ids: list[str], poll: float) -> Outcomes:
    bodies = [b""] * len(ids)
    left = iter(enumerate(ids))

    def look() -> None:
        for index, task_id in itertools.islice(left, 1):
            callers.ask(get(f"/predict/result/{task_id}"), partial(note, index))

    def note(index: int, response: Response) -> None:
        bodies[index] = response.body
        look()

    with _callers(port, poll) as callers:
        for _ in range(CONNECTIONS):
            look()
        callers.run()
    return Outcomes(bodies, callers.pending_at)


@contextmanager
def _callers(port: int, poll: float = POLL) -> Iterator[Callers]:
    wire = Wire(port, CONNECTIONS)
    try:
        yield Callers(wire, poll)
    finally:
        wire.close()


def _accepted_id(response: Response) -> str:
    found = _id.search(response.body)
    if response.status != 202 or not found:
        raise LoadFailed(f"not accepted: {response.status} {response.body[:300]!r}")
    return found[1].decode()
