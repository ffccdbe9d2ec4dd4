"""One real prediction, by which `up` checks that the stack works, and which it prints as curl."""

import shlex
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

import msgspec

from registry.store import Registry
from stack.http import CallResult, call_http

PROGRESS_TIMEOUT = 60.0
"""Seconds without progress of the workers after which a smoke test fails."""
PROGRESS_INTERVAL = 1.0
"""Seconds between checks of the workers' progress."""
REPORT_INTERVAL = 3.0
"""Seconds between messages about the backlog."""


class SmokeTest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request that must succeed: a registered model and its example row."""

    model: str
    features: list[Any]
    method: str = "predict"

    @classmethod
    def flock(cls, home: Path) -> list[Self]:
        """One request for each model that is ready and has an example, the shortest first."""
        registry = Registry(home)
        # A model whose only version is checked or refused does not keep the stack from its start.
        ready = [name for name in registry.models() if registry.latest(name) is not None]
        known = [registry.resolve(name).manifest for name in ready]
        requests = [
            cls(m.name, m.example, m.signature.main) for m in known if m.example is not None
        ]
        return sorted(requests, key=lambda request: len(request.features))

    def curl(self, url: str, key: Path | None = None) -> str:
        """The request as a command line of curl; ``key``: the file of a key, if one is needed."""
        body = shlex.quote(msgspec.json.encode(self).decode())
        with_key = f' -H "authorization: Bearer $(cat {shlex.quote(str(key))})"' if key else ""
        return f"curl -s {url}/predict -H 'content-type: application/json'{with_key} -d {body}"


class View(msgspec.Struct, frozen=True):
    """The fields we need of an answer, prediction or problem."""

    id: str = ""
    status: str | int = ""
    code: str = ""
    error: dict[str, Any] = {}


class QueueLoad(msgspec.Struct, frozen=True):
    """The fields we need of `/stats`."""

    queues: dict[str, int]
    reserved: int
    workers: list[dict[str, Any]]
    predictions: list[dict[str, Any]]

    @property
    def progress(self) -> int:
        """A counter that grows with each outcome and each version that a worker loads."""
        settled = sum(version["succeeded"] + version["failed"] for version in self.predictions)
        return int(settled + sum(len(worker["loaded"]) for worker in self.workers))

    @property
    def waiting(self) -> int:
        return sum(self.queues.values()) + self.reserved


class SmokePrediction:
    """The prediction of one smoke test, from submission to outcome."""

    def __init__(
        self,
        canary: SmokeTest,
        port: int,
        tell: Callable[[str], None],
        local_key: str | None = None,
    ) -> None:
        self._body, self._tell = msgspec.json.encode(canary), tell
        self._call = partial(call_http, port, local_key=local_key)
        self._key = uuid.uuid4().hex  # so that a repeated submission stays one prediction
        self._id = ""
        self._progress = -1
        self._moved = self._checked = self._told = time.monotonic()
        self.fault = ""
        """Code of the error; empty if the prediction succeeded."""

    def poll(self) -> bool:
        """Poll once; whether there is an outcome.

        Raises `TimeoutError` if the workers make no progress and never started the prediction.
        """
        answer = self._ask()
        if answer.status in {0, 202, 503}:  # no answer, pending, or queue full
            return self._is_stuck() and self._blame(answer)
        self.fault = _fault(answer)
        return True

    def _ask(self) -> CallResult:
        if self._id:
            return self._call("GET", f"/predict/result/{self._id}")
        answer = self._call("POST", "/predict/async", self._body, key=self._key)
        # 200 as well: the key of an earlier try, whose answer was lost, may have an outcome by now.
        if answer.status in {200, 202}:
            self._id = msgspec.json.decode(answer.body, type=View).id
        return answer

    def _blame(self, answer: CallResult) -> bool:
        """Blame the model if a worker is computing it; else raise `TimeoutError`."""
        if answer.status != 202 or msgspec.json.decode(answer.body, type=View).status != "running":
            raise TimeoutError
        self.fault = f"no outcome after {PROGRESS_TIMEOUT:.0f} s"
        return True

    def _is_stuck(self) -> bool:
        now = time.monotonic()
        if now - self._checked < PROGRESS_INTERVAL:
            return False
        self._checked = now
        answer = self._call("GET", "/stats")
        if answer.status == 200:
            self._note(msgspec.json.decode(answer.body, type=QueueLoad), now)
        return now - self._moved > PROGRESS_TIMEOUT

    def _note(self, load: QueueLoad, now: float) -> None:
        # Only a new maximum is progress: a worker that dies and loads again makes none.
        if load.progress > self._progress:
            self._progress, self._moved = load.progress, now
        behind = load.waiting - bool(self._id)
        if behind > 0 and now - self._told >= REPORT_INTERVAL:
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
