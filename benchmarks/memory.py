"""What a pool of four processes takes for a model, against one copy of it."""

import itertools
import time

import msgspec
import psutil

from benchmarks import models
from benchmarks.bench import Bench, multiply, register
from benchmarks.candidates import Candidate
from benchmarks.load import answer
from benchmarks.lone import one_copy
from benchmarks.models import MEGABYTE, Model
from benchmarks.processes import Processes
from benchmarks.results import Cell, Check, Part, Table

PROCESSES = 4
SMALL, LARGE = 1, 500
"""Megabytes."""
MANY = 24
"""Of the small ones: one would be lost in what processes take and give back anyway."""
COPIES = 1.6
"""Of a model that a pool may take; one that does not share takes four."""
BUSY = 0.02
"""Seconds of CPU after which a process has computed something."""
STEADY, SETTLED_WITHIN = 0.02, 20.0
NOTE = f"""Proportional memory (PSS) of the worker and all its {PROCESSES} processes together, MB. \
One copy: the growth of a lone process that loads as many and predicts once. Added while running: \
`predictq models add`, then requests from 32 callers, while all is up. Many small ones are \
versions of one model. From the start: all of them together, after a new start of the worker. \
Busy: the processes below the worker's own that took CPU meanwhile."""


class Growth(msgspec.Struct, frozen=True):
    """What some models took, and the CPU of so many processes to answer for them."""

    name: str
    copy: int
    growth: int
    busy: int

    @property
    def copies(self) -> float:
        """As a multiple of one."""
        return self.growth / self.copy


def run(bench: Bench) -> Part:
    """Models are added while all runs; then the worker starts anew and has them all."""
    large = max(bench.scaled(LARGE), 2 * SMALL)
    light = models.logistic(bench.directory)
    candidate = bench.predictq(light, workers=PROCESSES)
    with candidate.running() as processes:
        pool = Pool(bench, candidate, processes)
        pool.use(light)
        empty = pool.settled()
        makers = models.heavy_forest, models.heavy_linear
        added = [pool.with_many(make(bench.directory, SMALL)) for make in makers]
        added += [pool.with_one(make(bench.directory, large)) for make in makers]
        processes.end("worker")
        processes.start("worker")
        pool.use(light)  # all processes are there, and have started
        again = pool.with_all(sum(each.copy for each in added), empty)
    return Part("memory", [_table(empty, [*added, again])], _checks([*added, again]))


class Pool:
    """The worker of a system under load, and the models that were added to it."""

    def __init__(self, bench: Bench, candidate: Candidate, processes: Processes) -> None:
        self._bench, self._candidate, self._processes = bench, candidate, processes
        self._added: list[Model] = []

    def with_one(self, model: Model) -> Growth:
        """Add it, and answer for it."""
        before = self.settled()
        register(model, self._candidate.home)
        self._added.append(model)
        return self._measured(model.name, one_copy(model.path), [model], before)

    def with_many(self, model: Model) -> Growth:
        """Add many of it, once its libraries are at work."""
        register(model, self._candidate.home)
        self.use(model)
        before = self.settled()
        more = multiply(model, self._candidate.home, MANY)
        self._added += more
        return self._measured(f"{MANY} x {model.name}", one_copy(model.path, MANY), more, before)

    def with_all(self, copy: int, empty: int) -> Growth:
        """Answer for all that were added."""
        large_first = self._added[::-1]
        return self._measured("all, from the start", copy, large_first, empty)

    def use(self, *models: Model) -> None:
        """Let 32 callers ask these in turn."""
        asked = zip(*(model.questions(count=8).requests() for model in models), strict=True)
        requests = list(itertools.chain.from_iterable(asked))
        answer(self._candidate.port, requests, self._bench.seconds / 2)

    def settled(self) -> int:
        """Its memory once it moves no more: what loading took for a while is given back."""
        deadline, last = time.monotonic() + SETTLED_WITHIN, 0
        while abs((now := self._processes.pss("worker")) - last) > STEADY * now:
            if time.monotonic() > deadline:
                break
            last = now
            time.sleep(0.5)
        return now

    def _measured(self, name: str, copy: int, used: list[Model], before: int) -> Growth:
        self.use(*used)
        started = self._times()
        self.use(*used)
        busy = sum(now - started.get(pid, 0.0) > BUSY for pid, now in self._times().items())
        return Growth(name, copy, self.settled() - before, busy)

    def _times(self) -> dict[int, float]:
        _parent, *children = self._processes.tree("worker")
        return {process.pid: _seconds(process) for process in children}


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _checks(found: list[Growth]) -> list[Check]:
    busy = min(each.busy for each in found) / PROCESSES
    return [
        *(
            Check(f"{each.name}, copies in the pool", each.copies, "at most", COPIES)
            for each in found
        ),
        Check("processes that computed, of those of the pool", busy, "at least", 1),
    ]


def _table(empty: int, found: list[Growth]) -> Table:
    rows: list[list[Cell]] = [
        [each.name, each.copy / MEGABYTE, each.growth / MEGABYTE, each.copies, each.busy]
        for each in found
    ]
    columns = ["model", "one copy", "growth of the pool", "copies", "busy"]
    note = f"{NOTE} Before any: {empty / MEGABYTE:.0f} MB."
    return Table("Memory of a pool of four", columns, rows, note)
