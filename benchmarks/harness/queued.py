"""A system whose queue is filled and emptied piece by piece, and what a prediction of it costs."""

import time

import msgspec
from msgspec import json

from benchmarks.harness.candidates import Candidate
from benchmarks.harness.load import OUTCOMES_WITHIN, Accepted, collect, submit
from benchmarks.harness.models import Questions
from benchmarks.harness.processes import Processes
from benchmarks.harness.saturation import compared
from benchmarks.harness.wire import LoadFailed
from stack.programs import call

LOOK = 0.02
"""Seconds between two looks at the depth."""


class Cost(msgspec.Struct, frozen=True):
    """Of each prediction of a piece."""

    seconds: float
    cpu: float


class Mark(msgspec.Struct, frozen=True):
    """How it stands while it computes."""

    depth: int
    """Predictions without an outcome."""
    now: float
    cpu: float

    def to(self, later: "Mark") -> Cost:
        """What came to its end between the two."""
        count = max(self.depth - later.depth, 1)
        return Cost((later.now - self.now) / count, (later.cpu - self.cpu) / count)


class Stats(msgspec.Struct, frozen=True):
    """What `/stats` says of the queues."""

    queues: dict[str, int]
    reserved: int


class Queued:
    """It runs without a worker at first."""

    def __init__(self, candidate: Candidate, processes: Processes, questions: Questions) -> None:
        self._candidate, self._processes, self._questions = candidate, processes, questions
        self._accepted = Accepted([], [], 0.0)
        self._used = self._memory()

    @property
    def count(self) -> int:
        """All that was ever accepted."""
        return len(self._accepted.ids)

    def bytes_each(self) -> float:
        """Of Redis's memory, for each that waits."""
        return (self._memory() - self._used) / self.count

    def fill(self, many: int) -> Cost:
        """Submit so many; the CPU is that of the HTTP server and Redis."""
        cpu, requests = self._cpu("api"), self._questions.requests()
        each = submit(self._candidate.port, requests, OUTCOMES_WITHIN, many)
        self._accepted.ids += each.ids
        self._accepted.requests += each.requests
        count = len(each.ids)
        return Cost((each.ended - each.started) / count, (self._cpu("api") - cpu) / count)

    def rewrite_log(self) -> None:
        """Have Redis rewrite its log now, rather than in the middle of what is measured next."""
        with self._candidate.redis() as client:
            client.bgrewriteaof()
            while client.info("persistence")["aof_rewrite_in_progress"]:
                time.sleep(LOOK)

    def employ(self) -> None:
        """Start the worker; returns once it computes."""
        self._processes.start("worker")
        deadline = time.monotonic() + OUTCOMES_WITHIN
        while self.mark().depth == self.count:
            if time.monotonic() > deadline:
                raise LoadFailed("the worker computes nothing")
            time.sleep(LOOK)

    def mark(self) -> Mark:
        """Now; the CPU is that of the worker and Redis."""
        told = call(self._candidate.port, "GET", "/stats")
        if told.status != 200:
            raise LoadFailed(f"/stats: {told.status}")
        stats = json.decode(told.body, type=Stats)
        depth = stats.queues["predict"] + stats.reserved
        return Mark(depth, time.perf_counter(), self._cpu("worker"))

    def verify(self, one_in: int) -> None:
        """Compare a sample of the outcomes that there are with what the model says."""
        # Nearly first in, first out: what came last may be at the end of the line still.
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
