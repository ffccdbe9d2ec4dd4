"""The callers: as many as keep a fixed number of requests in flight, or as come at a fixed rate."""

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
"""Seconds between two looks for an outcome."""
OUTCOMES_WITHIN = 300.0
"""Seconds that all outcomes of a load may take together."""
AGAIN, MOST_AGAIN = 0.1, 100
"""Seconds after which a 503 is asked again, as callers do, and how often in one load: on a disk
that is slow to sync for a moment, Redis answers later than the HTTP server waits."""
_id = re.compile(rb'"id": ?"([^"]+)"')
_now = time.perf_counter


class Accepted(msgspec.Struct):
    """What was submitted: the ids, and for each the index of the request that it answers."""

    ids: list[str]
    requests: list[int]
    started: float
    ended: float = 0.0
    again: int = 0
    """How often one was asked again, after a 503."""

    def note(self, request: int, response: Response) -> None:
        """Take a 202."""
        self.ids.append(_accepted_id(response))
        self.requests.append(request)


class Outcomes(msgspec.Struct):
    """The bodies of outcomes, one for each id in order, and when the last of them was there."""

    bodies: list[bytes]
    ended: float


class Callers:
    """Predictions on their way: a 202 is looked at again until it is a 200."""

    def __init__(self, wire: Wire, poll: float = POLL) -> None:
        self._wire, self._poll = wire, poll
        self._plan: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self.again = 0
        """How often a 503 was asked again."""
        self.pending_at = 0.0
        """When an outcome was last asked for and not there."""

    def at(self, due: float, act: Callable[[], None]) -> None:
        """Plan something for a time of the performance counter."""
        heapq.heappush(self._plan, (due, next(self._number), act))

    def ask(self, request: bytes, then: Then) -> None:
        """Send, and follow the prediction to its outcome."""
        self.send(request, partial(self._hear, then))

    def send(self, request: bytes, then: Then) -> None:
        """Send, if need be again, until it is answered."""
        self._wire.send(request, partial(self._insist, request, then))

    def run(self) -> None:
        """Until all is done that was planned, and all that followed from it."""
        deadline = _now() + OUTCOMES_WITHIN
        while self._plan or self._wire.busy:
            while self._plan and self._plan[0][0] <= _now():
                heapq.heappop(self._plan)[2]()
            self._wire.turn(self._plan[0][0] - _now() if self._plan else 1.0)
            if _now() > deadline:
                raise LoadFailed(f"predictions had no outcome after {OUTCOMES_WITHIN:.0f} s")

    def _insist(self, request: bytes, then: Then, response: Response) -> None:
        if response.status != 503 or self.again == MOST_AGAIN:
            then(response)
            return
        self.again += 1
        self.at(_now() + AGAIN, partial(self.send, request, then))

    def _hear(self, then: Then, response: Response) -> None:
        if response.status == 200:
            then(response)
            return
        self.pending_at = _now()
        again = get(f"/predict/result/{_accepted_id(response)}")
        self.at(self.pending_at + self._poll, partial(self.ask, again, then))


def submit(port: int, requests: list[bytes], seconds: float, most: int = 1 << 62) -> Accepted:
    """A closed loop on acceptance: each of 32 connections sends its next once it has its 202."""
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
    """An open loop on acceptance: one request each ``1 / rate`` seconds, whatever comes back."""
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
    """An open loop on outcomes: seconds from the time each was due until its outcome was here."""
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


def answer(port: int, requests: list[bytes], seconds: float) -> float:
    """A closed loop on outcomes: predictions a second when each of 32 callers waits for its own."""
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
        for _ in range(CONNECTIONS):
            callers.ask(next(turn), note)
        callers.run()
    return count / (_now() - start)


def wait_for(port: int, task_id: str) -> Outcomes:
    """Look seldom, as looking costs what is being measured, until this one has its outcome."""
    return _outcomes(port, [task_id], poll=0.02)


def collect(port: int, ids: list[str]) -> Outcomes:
    """The outcome of each; the latest first, as they are the ones that may be missing yet."""
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
