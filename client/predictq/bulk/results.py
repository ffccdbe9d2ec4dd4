"""Fetches the outcomes of many predictions."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from predictq.errors import PredictqError, ProblemError, WaitTimeout
from predictq.http import wire
from predictq.http.connection import Connection
from predictq.http.retries import Deadline
from predictq.types import Pending, Prediction, Source

PATH = "predict/results"
MAX_IDS = 10_000
"""Most ids of one request."""
FIRST_PAUSE, MAX_PAUSE = 0.02, 0.5
"""Seconds between two looks for what has completed; doubled while nothing has."""


@dataclass(frozen=True)
class Completed:
    """A prediction that has its outcome."""

    id: str
    outcome: Prediction | PredictqError

    def result(self) -> Prediction:
        """The prediction; raises the error that it ended with."""
        if isinstance(self.outcome, PredictqError):
            raise self.outcome
        return self.outcome


class Results:
    """Looks up many predictions at a time."""

    def __init__(self, connection: Connection, source: Source) -> None:
        self._connection, self._source = connection, source

    def wait(self, ids: Sequence[str], until: Deadline) -> list[Completed]:
        """Wait for all outcomes; returns them in order. Raises `WaitTimeout` for the first missing.

        An error of a prediction is its outcome here, and is not raised.
        """
        found = {each.id: each for each in self._waited(ids, until)}
        for task_id in ids:
            if task_id not in found:
                raise WaitTimeout(task_id)
        return [found[task_id] for task_id in ids]

    def as_completed(self, ids: Sequence[str], until: Deadline) -> Iterator[Completed]:
        """Yield each prediction once it has its outcome; raises `WaitTimeout`."""
        pending, pause = list(dict.fromkeys(ids)), FIRST_PAUSE
        while pending:
            done = [each for part in _parts(pending) for each in self._look(part, None, until)]
            yield from done
            over = {each.id for each in done}
            pending = [task_id for task_id in pending if task_id not in over]
            if pending and not until.left():
                raise WaitTimeout(pending[0])
            pause = FIRST_PAUSE if done else min(2 * pause, MAX_PAUSE)
            if pending:
                until.clock.sleep(min(pause, until.left()))

    def _waited(self, ids: Sequence[str], until: Deadline) -> Iterator[Completed]:
        pending = list(dict.fromkeys(ids))
        while True:
            done = [each for part in _parts(pending) for each in self._look(part, until, until)]
            yield from done
            over = {each.id for each in done}
            pending = [task_id for task_id in pending if task_id not in over]
            if not pending or not until.left():
                return
            until.clock.sleep(min(MAX_PAUSE, until.left()))

    def _look(self, ids: list[str], hold: Deadline | None, until: Deadline) -> list[Completed]:
        """Those of the ids that have outcomes."""
        body = json.dumps(ids).encode()
        response = self._connection.post_lines(
            PATH, body, content_type="application/json", hold=hold, until=until
        )
        told = wire.successful(response).content.split(b"\n")
        states = wire.read(lambda: [self._state(json.loads(line)) for line in told if line])
        return [each for each in states if each is not None]

    def _state(self, body: dict[str, Any]) -> Completed | None:
        """None for a prediction without an outcome, or one that cannot be looked up now."""
        outcome = self._outcome(body)
        is_away = isinstance(outcome, ProblemError) and outcome.retryable
        if isinstance(outcome, Pending) or is_away:
            return None
        return Completed(str(body["id"]), outcome)

    def _outcome(self, body: dict[str, Any]) -> Prediction | Pending | PredictqError:
        if isinstance(body["status"], int):
            return wire.problem_in(body, body["status"])
        try:
            return wire.state_in(body, self._source)
        except PredictqError as error:
            return error


def _parts(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), MAX_IDS):
        yield ids[start : start + MAX_IDS]
