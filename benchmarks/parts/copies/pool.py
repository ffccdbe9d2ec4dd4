"""Measures the memory of models that are added to a worker under load."""

import itertools
import time

import msgspec
import psutil

from benchmarks.harness.bench import Bench, multiply, register
from benchmarks.harness.candidates import Candidate
from benchmarks.harness.load import answer
from benchmarks.harness.models import Model
from benchmarks.harness.processes import Processes
from benchmarks.parts.copies.lone import one_copy

PROCESSES = 4
MANY = 28
"""Number of small models to add. One would be lost in the noise; beyond 32 a process evicts
those used least recently."""
BUSY, MOST_TRIES = 0.05, 10
"""CPU seconds that show that a process has computed something, and how often to send requests
until all have: processes that are free first take the work."""
STEADY, SETTLED_WITHIN = 0.005, 20.0


class Growth(msgspec.Struct, frozen=True):
    """Memory of some models, and the CPU of the processes that used them."""

    name: str
    copy: int
    growth: int
    busy: int

    @property
    def copies(self) -> float:
        """Memory as a multiple of one copy."""
        return self.growth / self.copy


class Pool:
    """The worker of a system under load, and the models that were added to it."""

    def __init__(
        self, bench: Bench, candidate: Candidate, processes: Processes, light: Model
    ) -> None:
        """Start a worker with one small model, and use it."""
        self._bench, self._candidate, self._processes = bench, candidate, processes
        self._light = light
        self._added: list[Model] = []
        self.use(self._light)
        self.empty = self.settled()

    def with_one(self, model: Model) -> Growth:
        """Add a model, and use it."""
        before = self.settled()
        register(model, self._candidate.home)
        self._added.append(model)
        return self._measured(model.name, one_copy(model.path), [model], before)

    def with_many(self, model: Model) -> Growth:
        """Add many copies of a model, after its libraries are loaded."""
        register(model, self._candidate.home)
        self.use(model)
        before = self.settled()
        more = multiply(model, self._candidate.home, MANY)
        return self._measured(f"{MANY} x {model.name}", one_copy(model.path, MANY), more, before)

    def with_all(self, copy: int) -> Growth:
        """Restart the worker, and use all models that were added."""
        self._processes.end("worker")
        self._processes.start("worker")
        self.use(self._light)  # all processes have started
        return self._measured("both, from the start", copy, self._added, self.empty)

    def use(self, *models: Model) -> None:
        """Request predictions of these models in turn, with 32 callers."""
        asked = zip(*(model.questions(count=8).requests() for model in models), strict=True)
        requests = list(itertools.chain.from_iterable(asked))
        answer(self._candidate.port, requests, self._bench.seconds / 2)

    def settled(self) -> int:
        """Memory once it is stable, after temporary memory of loading is freed."""
        deadline, last = time.monotonic() + SETTLED_WITHIN, 0
        while abs((now := self._processes.pss("worker")) - last) > STEADY * now:
            if time.monotonic() > deadline:
                break
            last = now
            time.sleep(0.5)
        return now

    def _measured(self, name: str, copy: int, used: list[Model], before: int) -> Growth:
        started = self._times()
        for _ in range(MOST_TRIES):
            self.use(*used)
            now = self._times().items()
            busy = sum(seconds - started.get(pid, 0.0) > BUSY for pid, seconds in now)
            if busy >= PROCESSES:
                break
        return Growth(name, copy, self.settled() - before, busy)

    def _times(self) -> dict[int, float]:
        _parent, *children = self._processes.tree("worker")
        return {process.pid: _seconds(process) for process in children}


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
