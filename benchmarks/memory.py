"""What a pool of four processes takes for a model, against one copy of it."""

import time
from collections.abc import Callable

import msgspec
import psutil

from benchmarks import models
from benchmarks.bench import Bench, register
from benchmarks.candidates import Candidate
from benchmarks.load import answer
from benchmarks.lone import one_copy
from benchmarks.models import MEGABYTE, Model
from benchmarks.processes import Processes
from benchmarks.results import Cell, Check, Part, Table

PROCESSES = 4
SMALL, LARGE = 1, 500
"""Megabytes."""
COPIES = 1.6
"""Of a large model that a pool may take; one that does not share takes four."""
BUSY = 0.02
"""Seconds of CPU after which a process has computed something."""
STEADY, SETTLED_WITHIN = 0.02, 20.0
NOTE = f"""Proportional memory (PSS) of the worker and all its {PROCESSES} processes together, MB. \
One copy: the growth of a lone process that loads the file and predicts once. Added while running: \
`predictq models add`, then requests from 32 callers, while all is up. From the start: all models \
together, after a new start of the worker. Busy: the processes below the worker's own that took \
CPU meanwhile."""


class Growth(msgspec.Struct, frozen=True):
    """What some models took."""

    name: str
    copy: int
    growth: int
    busy: int

    @property
    def copies(self) -> float:
        """As a multiple of one."""
        return self.growth / self.copy


def run(bench: Bench) -> Part:
    """Models are added one by one; then the worker starts anew and has them all."""
    large = max(bench.scaled(LARGE), 2 * SMALL)
    made = [
        make(bench.directory, size)
        for size in (SMALL, large)
        for make in (models.heavy_forest, models.heavy_linear)
    ]
    light = models.logistic(bench.directory)
    candidate = bench.predictq(light, workers=PROCESSES)
    with candidate.running() as processes:
        _use(bench, candidate, light)
        empty = _settled(processes)
        added = [_added(bench, candidate, processes, model) for model in made]
        processes.end("worker")
        processes.start("worker")
        again = _all(bench, candidate, processes, [light, *made], empty)
    again = msgspec.structs.replace(again, copy=sum(each.copy for each in added))
    heavy = [each for each in added if each.name.endswith(f"-{large}")]
    checks = [
        Check(f"{each.name}, copies in the pool", each.copies, "at most", COPIES)
        for each in (*heavy, again)
    ]
    return Part("memory", [_table(empty, [*added, again])], checks)


def _added(bench: Bench, candidate: Candidate, processes: Processes, model: Model) -> Growth:
    before = _settled(processes)
    register(model, candidate.home)
    busy = _busy(processes, lambda: _use(bench, candidate, model))
    copy = max(one_copy(model.path), model.path.stat().st_size)  # small ones fit in what is free
    return Growth(model.name, copy, _settled(processes) - before, busy)


def _all(
    bench: Bench, candidate: Candidate, processes: Processes, held: list[Model], empty: int
) -> Growth:
    _use(bench, candidate, held[0])  # all processes are there, and have started

    def use() -> None:
        for model in held:
            _use(bench, candidate, model)

    busy = _busy(processes, use)
    return Growth("all, from the start", 0, _settled(processes) - empty, busy)


def _use(bench: Bench, candidate: Candidate, model: Model) -> None:
    answer(candidate.port, model.questions(count=8).requests(), bench.seconds / 2)


def _busy(processes: Processes, act: Callable[[], object]) -> int:
    before = _times(processes)
    act()
    after = _times(processes)
    return sum(after[pid] - before.get(pid, 0.0) > BUSY for pid in after)


def _times(processes: Processes) -> dict[int, float]:
    _parent, *children = processes.tree("worker")
    return {process.pid: _seconds(process) for process in children}


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _settled(processes: Processes) -> int:
    """Once it moves no more: what loading took for a while is given back."""
    deadline, last = time.monotonic() + SETTLED_WITHIN, 0
    while abs((now := processes.pss("worker")) - last) > STEADY * now:
        if time.monotonic() > deadline:
            break
        last = now
        time.sleep(0.5)
    return now


def _table(empty: int, found: list[Growth]) -> Table:
    rows: list[list[Cell]] = [
        [each.name, each.copy / MEGABYTE, each.growth / MEGABYTE, each.copies, each.busy]
        for each in found
    ]
    columns = ["model", "one copy", "growth of the pool", "copies", "busy"]
    note = f"{NOTE} Before any: {empty / MEGABYTE:.0f} MB."
    return Table("Memory of a pool of four", columns, rows, note)
