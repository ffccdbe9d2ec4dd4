"""The callers: an open loop that survives outages."""

import time
from collections.abc import Callable
from functools import partial

from benchmarks.harness.wire import Response
from benchmarks.prove.callers.following import RETRY_SECONDS, Following
from benchmarks.prove.callers.listener import Listener
from benchmarks.prove.callers.mix import Mix
from benchmarks.prove.callers.observed import Body, Observed, Submission, read, read_lines
from benchmarks.prove.callers.schedule import Schedule
from benchmarks.prove.callers.submissions import BulkRequest, Request
from benchmarks.prove.callers.tenants import Tenants
from benchmarks.prove.evidence import Asked
from benchmarks.prove.faults.line import Line

CONNECTIONS = 128
MAX_TURN_SECONDS = 0.02
_now = time.monotonic


class Callers:
    """The load of one run against one design; all answers are recorded."""

    def __init__(
        self, port: int, rate: float, mix: Mix, tenants: Tenants, listener: Listener
    ) -> None:
        """``rate``: rows a second."""
        self._wire, self._rate, self._mix = Line(port, CONNECTIONS), rate, mix
        self._tenants, self.mischief = tenants, mix.mischief
        self._schedule, self.observed = Schedule(), Observed()
        self._following = Following(self._wire, self._schedule, listener, self.observed, tenants)
        self.is_submitting = True
        self._asking_again = 0
        self.oldest = _now()
        """All that was accepted before this time has its outcome, or was given up."""
        self.given_up = 0.0
        """Do not wait for outcomes of what was accepted before this time."""
        self.latest = 0.0
        """Time of the last acceptance."""

    @property
    def open(self) -> dict[str, float]:
        """Ids without an outcome, and when each was accepted."""
        return self._following.open

    @property
    def busy(self) -> bool:
        """Whether an answer is outstanding, or a retry scheduled."""
        return self._wire.busy or self._asking_again > 0

    def start(self) -> None:
        """Start submitting, until `is_submitting` is false."""
        self._schedule.at(_now(), partial(self._submit_next, _now()))

    def run(self, until: Callable[[], bool]) -> None:
        """Run scheduled calls and follow accepted ids, until the condition holds."""
        while not until():
            self._schedule.run_due()
            self._wire.turn(self._schedule.seconds_left(MAX_TURN_SECONDS))
            self._following.look_at_news()
            self.oldest = next((at for at in self.open.values() if at > self.given_up), _now())

    def all_is_done(self, moment: float) -> bool:
        """Whether all accepted until ``moment`` has its outcome, and new ones are accepted."""
        return self.oldest > moment and self.latest > moment

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def _submit_next(self, due: float) -> None:
        if self.is_submitting:
            after = due + self._submit_some(due) / self._rate
            self._schedule.at(after, partial(self._submit_next, after))

    def _submit_some(self, due: float) -> int:
        """Submit one row, or several in a bulk request; returns how many."""
        request = self._mix.next()
        if isinstance(request, BulkRequest):
            self._submit_bulk(request, due)
            return len(request.requests)
        self._submit(request, due)
        return 1

    def _submit(self, request: Request, due: float) -> None:
        self._wire.send(request.content(self._tenants), partial(self._told, request, due))

    def _told(self, request: Request, due: float, response: Response) -> None:
        self.observed.submissions.append(Submission(due, _now() - due, response.status))
        body = read(response)
        if response.status in (200, 202) and body.id:
            self._accept(body.id, request.asked)
        elif response.status not in (0, 503):
            told = f"{response.status} to a submission: {response.body[:200]!r}"
            self.observed.strange.append(told)
        else:
            self.observed.note_refusal(body, request.asked)
            if request.has_key:
                self._again(lambda: self._submit(request, _now()))

    def _submit_bulk(self, bulk: BulkRequest, due: float) -> None:
        self._wire.send(bulk.content(self._tenants), partial(self._told_of_bulk, bulk, due))

    def _told_of_bulk(self, bulk: BulkRequest, due: float, response: Response) -> None:
        self.observed.submissions.append(Submission(due, _now() - due, response.status))
        lines = read_lines(response) if response.status in (202, 503) else []
        if response.status not in (0, 202, 503):
            told = f"{response.status} to a bulk request: {response.body[:200]!r}"
            self.observed.strange.append(told)
            return
        # An answer that was cut off says nothing about the lines that it lacks.
        lines += [Body()] * (len(bulk.requests) - len(lines))
        for request, line in zip(bulk.requests, lines, strict=True):
            self._told_of_line(request.asked, line)
        if all(map(_is_accepted, lines)):
            self._following.look_at_bulk([line.id for line in lines])
        else:
            self._again(lambda: self._submit_bulk(bulk, _now()))

    def _told_of_line(self, asked: Asked, line: Body) -> None:
        if _is_accepted(line):
            self._accept(line.id, asked)
            return
        if line.line and line.status != 503:
            self.observed.strange.append(f"{line.status} to a line: {line.code}")
        self.observed.note_refusal(line, asked)

    def _again(self, submit: Callable[[], None]) -> None:
        """Submit again in `RETRY_SECONDS`, with the same key."""
        self._asking_again += 1

        def again() -> None:
            self._asking_again -= 1
            submit()

        self._schedule.after(RETRY_SECONDS, again)

    def _accept(self, task_id: str, asked: Asked) -> None:
        if task_id in self.observed.accepted:  # a line that was sent again keeps its id
            return
        self.observed.accepted[task_id] = asked
        self.latest = _now()
        self._following.start(task_id)
        if asked.cancelled:
            self._following.cancel(task_id)


def _is_accepted(line: Body) -> bool:
    return bool(line.id) and not line.line
