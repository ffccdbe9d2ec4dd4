"""The callers: an open loop that survives outages, and follows each id to its outcome."""

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import msgspec

from benchmarks.harness.wire import Response, get
from benchmarks.prove.evidence import Answer, Asked
from benchmarks.prove.faults.line import Line
from benchmarks.prove.listener import Listener
from benchmarks.prove.submissions import Request
from benchmarks.prove.witness import CALM, FIRST, RAISES

CONNECTIONS = 128
RETRY_SECONDS = 0.5
"""Seconds before a retry after no answer or a 503."""
LOOK_SECONDS = 5.0
"""Seconds between two look-ups of an outcome that was not announced."""
CERTAIN = frozenset({"busy", "queue_full", "unavailable", "version_paused"})
"""Codes of a 503 that mean "not accepted"; an uncertain submission has another code."""
_now = time.monotonic


class Told(msgspec.Struct, frozen=True):
    """The result of one submission as its caller saw it."""

    due: float
    seconds: float
    """Seconds from the time it was due to the first answer."""
    status: int


class _Body(msgspec.Struct):
    id: str = ""
    status: str | int = ""
    predictions: Any = None
    code: str = ""
    error: dict[str, Any] | None = None


class Callers:
    """The load of one run against one design; all answers are recorded."""

    def __init__(self, port: int, rate: float, chance: Random, listener: Listener) -> None:
        self._wire, self._rate, self._chance = Line(port, CONNECTIONS), rate, chance
        self._plan: list[tuple[float, int, Callable[[], None]]] = []
        self._order, self._numbers = itertools.count(), itertools.count(FIRST)
        self._listener = listener
        self.is_submitting = True
        self._asking_again = 0
        self.mischief: deque[tuple[int, float]] = deque()
        """Misbehaviour that the next requests ask of the model: kind and seconds."""
        self.open: dict[str, float] = {}
        """Ids without an outcome, and when each was accepted."""
        self._looking: set[str] = set()
        self.oldest = _now()
        """All that was accepted before this time has its outcome, or was given up."""
        self.given_up = 0.0
        """Do not wait for outcomes of what was accepted before this time."""
        self.latest = 0.0
        """Time of the last acceptance."""
        self.accepted: dict[str, Asked] = {}
        self.uncertain: dict[str, Asked] = {}
        """Ids named in a 503, which may or may not have been accepted."""
        self.unanswered: set[int] = set()
        """Numbers of submissions without an answer, or with a 503 without an id."""
        self.refused: set[int] = set()
        """Numbers of submissions that were refused for certain."""
        self.answers: dict[str, list[Answer]] = {}
        self.submissions: list[Told] = []
        self.strange: list[str] = []
        """Answers that must never occur."""

    @property
    def busy(self) -> bool:
        """Whether an answer is outstanding, or a retry scheduled."""
        return self._wire.busy or self._asking_again > 0

    def start(self) -> None:
        """Start submitting, until `is_submitting` is false."""
        self._at(_now(), partial(self._submit_next, _now()))

    def run(self, until: Callable[[], bool]) -> None:
        """Run scheduled calls and follow accepted ids, until the condition holds."""
        while not until():
            while self._plan and self._plan[0][0] <= _now():
                heapq.heappop(self._plan)[2]()
            self._wire.turn(min(self._plan[0][0] - _now(), 0.02) if self._plan else 0.02)
            for task_id in self._news():
                self._look(task_id)
            self.oldest = next((at for at in self.open.values() if at > self.given_up), _now())

    def all_is_done(self, moment: float) -> bool:
        """Whether all accepted until ``moment`` has its outcome, and new ones are accepted."""
        return self.oldest > moment and self.latest > moment

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def _at(self, due: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._plan, (due, next(self._order), act))

    def _submit_next(self, due: float) -> None:
        if self.is_submitting:
            self._submit(self._next(), due)
            after = due + 1 / self._rate
            self._at(after, partial(self._submit_next, after))

    def _next(self) -> Request:
        number, chance = next(self._numbers), self._chance.random()
        if self.mischief:
            return Request.of(number, *self.mischief.popleft())
        return Request.of(number, RAISES if chance < 0.01 else CALM, 0.0, chance)

    def _submit(self, request: Request, due: float) -> None:
        self._wire.send(request.content, partial(self._told, request, due))

    def _told(self, request: Request, due: float, response: Response) -> None:
        self.submissions.append(Told(due, _now() - due, response.status))
        body = _read(response)
        if response.status in (200, 202) and body.id:
            self._accept(body.id, request)
        elif response.status not in (0, 503):
            self.strange.append(f"{response.status} to a submission: {response.body[:200]!r}")
        else:
            self._uncertain(body, request)

    def _uncertain(self, body: _Body, request: Request) -> None:
        if body.id:
            self.uncertain[body.id] = request.asked
        elif body.code not in CERTAIN:
            self.unanswered.add(request.asked.number)
        else:
            self.refused.add(request.asked.number)
        if request.has_key:
            self._asking_again += 1
            self._at(_now() + RETRY_SECONDS, partial(self._submit_again, request))

    def _submit_again(self, request: Request) -> None:
        self._asking_again -= 1
        self._submit(request, _now())

    def _accept(self, task_id: str, request: Request) -> None:
        self.accepted[task_id] = request.asked
        self.open[task_id] = self.latest = _now()
        self._at(_now() + LOOK_SECONDS, partial(self._look_again, task_id))
        if task_id in self._listener.published:
            self._look(task_id)
        if request.asked.cancelled:
            self._wire.send(_delete(task_id), lambda _: None)

    def _news(self) -> list[str]:
        if self._listener.missed:
            self._listener.missed = False
            return list(self.open)
        return list(self._listener.heard(self.open))

    def _look(self, task_id: str) -> None:
        if task_id in self.open and task_id not in self._looking:
            self._looking.add(task_id)
            self._wire.send(get(f"/predict/result/{task_id}"), partial(self._hear, task_id))

    def _look_again(self, task_id: str) -> None:
        if task_id in self.open:
            self._look(task_id)
            self._at(_now() + LOOK_SECONDS, partial(self._look_again, task_id))

    def _hear(self, task_id: str, response: Response) -> None:
        body = _read(response)
        self._looking.discard(task_id)
        if response.status in (0, 503):
            self._at(_now() + RETRY_SECONDS, partial(self._look, task_id))
        elif response.status == 200:
            code = str((body.error or {}).get("code", ""))
            state = str(body.status or "succeeded")
            self.answers.setdefault(task_id, []).append(Answer(state, body.predictions, code))
            self.open.pop(task_id, None)
        elif response.status == 500 and task_id in self._listener.published and not body.code:
            self.open.pop(task_id, None)  # the naive design answers failures this way
        elif response.status != 202:
            self.strange.append(f"{response.status} to {task_id}: {response.body[:200]!r}")


def _read(response: Response) -> _Body:
    try:
        return msgspec.json.decode(response.body, type=_Body)
    except msgspec.DecodeError:
        return _Body()


def _delete(task_id: str) -> bytes:
    return get(f"/predict/result/{task_id}").replace(b"GET", b"DELETE", 1)
