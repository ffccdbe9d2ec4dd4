"""One real prediction: proof for `up` that the way is open, and a line to paste for a newcomer."""

import shlex
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec

from registry.store import Registry
from stack.programs import CallResult, call

PROGRESS_TIMEOUT = 60.0
"""Seconds without any progress of the workers after which a canary is given up."""
PROGRESS_INTERVAL = 1.0
"""Seconds between looks at the workers' progress."""
NEWS = 3.0
"""Seconds between lines about it."""


class SmokeTest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request that must succeed: a registered model, and a row that it is known to take."""

    model: str
    features: list[Any]
    method: str = "predict"

    @classmethod
    def flock(cls, home: Path) -> list[Self]:
        """One for each model that has an example, the shortest first."""
        registry = Registry(home)
        known = [registry.resolve(name).manifest for name in registry.models()]
        requests = [
            cls(m.name, m.example, m.signature.main) for m in known if m.example is not None
        ]
        return sorted(requests, key=lambda request: len(request.features))

    def curl(self, url: str) -> str:
        """The same request as a command line."""
        body = shlex.quote(msgspec.json.encode(self).decode())
        return f"curl -s {url}/predict -H 'content-type: application/json' -d {body}"


class View(msgspec.Struct, frozen=True):
    """What matters of an answer, be it a prediction or a problem."""

    id: str = ""
    status: str | int = ""
    code: str = ""
    error: dict[str, Any] = {}


class Load(msgspec.Struct, frozen=True):
    """What matters of `/stats`."""

    queues: dict[str, int]
    reserved: int
    workers: list[dict[str, Any]]
    predictions: list[dict[str, Any]]

    @property
    def progress(self) -> int:
        """Grows with each outcome, and with each version that a worker has loaded."""
        settled = sum(version["succeeded"] + version["failed"] for version in self.predictions)
        return int(settled + sum(len(worker["loaded"]) for worker in self.workers))

    @property
    def waiting(self) -> int:
        return sum(self.queues.values()) + self.reserved


class Flight:
    """The one prediction of a canary, from its submission to its outcome."""

    def __init__(self, canary: SmokeTest, port: int, tell: Callable[[str], None]) -> None:
        self._body = msgspec.json.encode(canary)
        self._port, self._tell = port, tell
        self._key = uuid.uuid4().hex  # a submission that is tried again stays one prediction
        self._id = ""
        self._progress = -1
        self._moved = self._looked = self._told = time.monotonic()
        self.fault = ""
        """The code of what went wrong; empty when it succeeded."""

    def landed(self) -> bool:
        """Whether there is an outcome; `TimeoutError` where workers get nowhere and never began."""
        answer = self._ask()
        if answer.status in {0, 202, 503}:  # away, pending, or a full queue
            return self._is_stuck() and self._blame(answer)
        self.fault = _fault(answer)
        return True

    def _ask(self) -> CallResult:
        if self._id:
            return call(self._port, "GET", f"/predict/result/{self._id}")
        answer = call(self._port, "POST", "/predict/async", self._body, key=self._key)
        if answer.status in {200, 202}:
            self._id = msgspec.json.decode(answer.body, type=View).id
        return answer

    def _blame(self, answer: CallResult) -> bool:
        """The model, where a worker is at it; else the workers."""
        if answer.status != 202 or msgspec.json.decode(answer.body, type=View).status != "running":
            raise TimeoutError
        self.fault = f"no outcome after {PROGRESS_TIMEOUT:.0f} s"
        return True

    def _is_stuck(self) -> bool:
        now = time.monotonic()
        if now - self._looked < PROGRESS_INTERVAL:
            return False
        self._looked = now
        answer = call(self._port, "GET", "/stats")
        if answer.status == 200:
            self._note(msgspec.json.decode(answer.body, type=Load), now)
        return now - self._moved > PROGRESS_TIMEOUT

    def _note(self, load: Load, now: float) -> None:
        # Only more than ever is progress: a worker that dies and loads again gets nowhere.
        if load.progress > self._progress:
            self._progress, self._moved = load.progress, now
        behind = load.waiting - bool(self._id)
        if behind > 0 and now - self._told >= NEWS:
            self._tell(f"canary  behind {behind:,} queued predictions")
            self._told = now


def _fault(answer: CallResult) -> str:
    try:
        view = msgspec.json.decode(answer.body, type=View)
    except msgspec.DecodeError:
        return f"HTTP {answer.status}"
    if view.status == "succeeded":
        return ""
    return view.error.get("code") or view.code or str(view.status)
