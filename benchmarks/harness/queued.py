"""A system whose queue is filled and drained in pieces, to measure the cost per prediction."""

import time

import msgspec
from msgspec import json

from benchmarks.harness.candidates import Candidate
from benchmarks.harness.load import OUTCOMES_WITHIN, Accepted, collect, submit
from benchmarks.harness.models import Questions
from benchmarks.harness.processes import Processes
from benchmarks.harness.saturation import compared
from benchmarks.harness.wire import LoadFailed
from stack.http import call_http

LOOK_SECONDS = 0.02
"""Seconds between two checks of the depth."""


class Cost(msgspec.Struct, frozen=True):
    """Cost per prediction of a piece."""

    seconds: float
    cpu: float


class Mark(msgspec.Struct, frozen=True):
    """State of the system at one moment of draining."""

    depth: int
    """Predictions without an outcome."""
    now: float
    cpu: float

    def to(self, later: "Mark") -> Cost:
        """Cost per prediction that ended between two marks."""
        count = max(self.depth - later.depth, 1)
        return Cost((later.now - self.now) / count, (later.cpu - self.cpu) / count)


class Stats(msgspec.Struct, frozen=True):
    """The fields of `/stats` on the queues."""

    queues: dict[str, int]
    reserved: int


class Queued:
    """The system; it starts without a worker."""

    def __init__(self, candidate: Candidate, processes: Processes, questions: Questions) -> None:
        self._candidate, self._processes, self._questions = candidate, processes, questions
        self._accepted = Accepted([], [], 0.0)
        self._used = self._memory()

    @property
    def count(self) -> int:
        """Number of accepted predictions."""
        return len(self._accepted.ids)

    def bytes_each(self) -> float:
        """Bytes of Redis's memory per queued prediction."""
        return (self._memory() - self._used) / self.count

    def fill(self, many: int) -> Cost:
        """Submit ``many`` predictions; returns the cost, with the CPU of HTTP server and Redis."""
        cpu, requests = self._cpu("api"), self._questions.requests()
        each = submit(self._candidate.port, requests, OUTCOMES_WITHIN, many)
        self._accepted.ids += each.ids
        self._accepted.requests += each.requests
        count = len(each.ids)
        return Cost((each.ended - each.started) / count, (self._cpu("api") - cpu) / count)

    def rewrite_log(self) -> None:
        """Let Redis rewrite its log now, so that it does not happen during the next measurement."""
        with self._candidate.redis() as client:
            client.bgrewriteaof()
            while client.info("persistence")["aof_rewrite_in_progress"]:
                time.sleep(LOOK_SECONDS)

    def employ(self) -> None:
        """Start the worker, and wait until it computes."""
        self._processes.start("worker")
        deadline = time.monotonic() + OUTCOMES_WITHIN
        while self.mark().depth == self.count:
            if time.monotonic() > deadline:
                raise LoadFailed("the worker computes nothing")
            time.sleep(LOOK_SECONDS)

    def mark(self) -> Mark:
        """The state now, with the CPU of worker and Redis."""
        told = call_http(self._candidate.port, "GET", "/stats")
        if told.status != 200:
            raise LoadFailed(f"/stats: {told.status}")
        stats = json.decode(told.body, type=Stats)
        depth = stats.queues["predict"] + stats.reserved
        return Mark(depth, time.perf_counter(), self._cpu("worker"))

    def verify(self, one_in: int) -> None:
        """Compare a sample of the outcomes with the model's own predictions."""
        # The queue is nearly first in, first out, so the last ones may have no outcome yet.
        left = self.mark().depth
        sample = slice(0, (self.count - left) // 2 if left else None, one_in)
        asked = Accepted(self._accepted.ids[sample], self._accepted.requests[sample], 0.0)
        compared(asked, collect(self._candidate.port, asked.ids).bodies, self._questions)

    def _cpu(self, role: str) -> float:
        cpu = self._processes.cpu()
        return cpu[role] + cpu["redis"]

    def _memory(self) -> int:
        with self._candidate.redis() as client:
            return int(client.info("memory")["used_memory"])
