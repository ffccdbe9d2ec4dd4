"""Fetches the outcomes of many predictions."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2

from predictq.errors import PredictqError, ProblemError, WaitTimeout
from predictq.http import wire
from predictq.http.flows import Flow, Item, Pause, Stream
from predictq.http.requests import Requests
from predictq.http.retries import Deadline
from predictq.types import Accepted, Prediction

RESULTS_PATH = "predict/results"
MAX_IDS = 10_000
"""Most ids of one request."""
FIRST_PAUSE, MAX_PAUSE = 0.02, 0.5
"""Seconds between two looks for what has completed; doubled while nothing has."""

T = TypeVar("T")


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

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def wait(self, ids: Sequence[str], until: Deadline) -> Flow[list[Completed]]:
        """Wait for all outcomes; returns them in order. Raises `WaitTimeout` for the first missing.

        An error of a prediction is its outcome here, and is not raised.
        """
        found: dict[str, Completed] = {}
        pending = list(dict.fromkeys(ids))
        while pending:
            done = yield from self._look_up(pending, until, until)
            found |= {each.id: each for each in done}
            pending = [task_id for task_id in pending if task_id not in found]
            if pending and not until.left():
                raise WaitTimeout(pending[0])
            if pending:
                yield Pause(min(MAX_PAUSE, until.left()))
        return [found[task_id] for task_id in ids]

    def as_completed(
        self, ids: Sequence[str], until: Deadline, form: Callable[[Completed], T]
    ) -> Stream[T]:
        """Yield each prediction, in this form, once it has its outcome; raises `WaitTimeout`."""
        pending, pause = list(dict.fromkeys(ids)), FIRST_PAUSE
        while pending:
            done = yield from self._look_up(pending, None, until)
            for each in done:
                yield Item(form(each))
            over = {each.id for each in done}
            pending = [task_id for task_id in pending if task_id not in over]
            if pending and not until.left():
                raise WaitTimeout(pending[0])
            pause = FIRST_PAUSE if done else min(2 * pause, MAX_PAUSE)
            if pending:
                yield Pause(min(pause, until.left()))

    def _look_up(
        self, ids: list[str], hold: Deadline | None, until: Deadline
    ) -> Flow[list[Completed]]:
        """The outcomes of the ids that have one; ``hold``: until when the server is to wait."""
        done: list[Completed] = []
        for part in _parts(ids):
            body = json.dumps(part).encode()
            response = yield from self._requests.post_encoded(
                RESULTS_PATH, body, content_type="application/json", hold=hold, until=until
            )
            done += _completed(response)
        return done


def _completed(response: httpx2.Response) -> list[Completed]:
    told = wire.successful(response).content.split(b"\n")
    states = wire.read(lambda: [_state(json.loads(line)) for line in told if line])
    return [each for each in states if each is not None]


def _state(body: dict[str, Any]) -> Completed | None:
    """None for a prediction without an outcome, or one that cannot be looked up now."""
    outcome = _outcome(body)
    is_away = isinstance(outcome, ProblemError) and outcome.retryable
    if isinstance(outcome, Accepted) or is_away:
        return None
    return Completed(str(body["id"]), outcome)


def _outcome(body: dict[str, Any]) -> Prediction | Accepted | PredictqError:
    if isinstance(body["status"], int):
        return wire.problem_in(body, body["status"])
    try:
        return wire.state_in(body)
    except PredictqError as error:
        return error


def _parts(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), MAX_IDS):
        yield ids[start : start + MAX_IDS]
