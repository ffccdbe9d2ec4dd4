"""Whether a prediction costs the same in an empty queue and behind 200,000 others."""

import statistics
import time
from itertools import pairwise

import msgspec
from msgspec import json

from benchmarks.bench import Bench
from benchmarks.candidates import Candidate
from benchmarks.load import Accepted, collect, submit
from benchmarks.processes import Processes
from benchmarks.results import Cell, Check, Part, Table, shown
from benchmarks.saturation import compared
from benchmarks.wire import LoadFailed
from cli.stack import call

BACKLOG = 200_000
SLICES = 10
DRAINED_WITHIN = 150.0
"""Seconds; what is queued then stays so, and the table says it."""
LEAST = 200
"""Predictions in a slice."""
FLAT = 1.10
SAMPLE = 100
"""One in so many outcomes is compared with the model's."""
NOTE = """First without a worker, to fill the queue; then with one, to empty it. Per prediction: \
time, and CPU of the HTTP server and Redis (filling), of the worker and Redis (emptying). The \
first emptied slice is the worker's start and is left out. The checks take the median of the three \
deepest slices over that of the three shallowest, of time or of CPU, whichever is less: noise may \
move one of them, a cost that grows moves both."""


class Slice(msgspec.Struct, frozen=True):
    """A stretch of the backlog, and the cost of each prediction in it."""

    depth: int
    """Messages queued at its deeper end."""
    seconds: float
    cpu: float


class Mark(msgspec.Struct, frozen=True):
    """The state at one moment."""

    depth: int
    now: float
    cpu: float

    def to(self, later: "Mark") -> Slice:
        """What happened between two."""
        count = abs(later.depth - self.depth)
        return Slice(
            max(self.depth, later.depth),
            (later.now - self.now) / count,
            (later.cpu - self.cpu) / count,
        )


class Stats(msgspec.Struct, frozen=True):
    """What `/stats` says of the queues."""

    queues: dict[str, int]
    reserved: int

    @property
    def depth(self) -> int:
        """Predictions without an outcome."""
        return self.queues["predict"] + self.reserved


def run(bench: Bench) -> Part:
    """Fill, then empty."""
    candidate = bench.predictq()
    with candidate.running("redis", "api") as processes, candidate.redis() as client:
        before = client.info("memory")["used_memory"]
        filled, ids = _fill(bench, candidate, processes)
        bytes_each = (client.info("memory")["used_memory"] - before) / len(ids.ids)
        processes.start("worker")
        emptied, left = _empty(candidate, processes, len(ids.ids))
        _verify(bench, candidate, ids, len(ids.ids) - left)
    checks = [
        Check("filling, deep over shallow", _growth(filled), "at most", FLAT),
        Check("emptying, deep over shallow", _growth(emptied), "at most", FLAT),
    ]
    return Part(
        "backlog", [_table(filled, emptied), _memory(bytes_each, len(ids.ids), left)], checks
    )


def _fill(bench: Bench, candidate: Candidate, processes: Processes) -> tuple[list[Slice], Accepted]:
    requests = bench.questions.requests()
    total = Accepted([], [], 0.0)
    marks = [_mark(candidate, processes, "api")]
    size = max(bench.scaled(BACKLOG / SLICES), LEAST)
    for _ in range(SLICES):
        each = submit(candidate.port, requests, DRAINED_WITHIN, size)
        total.ids += each.ids
        total.requests += each.requests
        marks.append(_mark(candidate, processes, "api"))
    return _slices(marks), total


def _empty(candidate: Candidate, processes: Processes, count: int) -> tuple[list[Slice], int]:
    """Costs of each slice after the first, and what is left when time is up."""
    step, marks = count // SLICES, [_mark(candidate, processes, "worker")]
    deadline = marks[0].now + DRAINED_WITHIN
    while marks[-1].depth and marks[-1].now < deadline:
        time.sleep(0.02)
        mark = _mark(candidate, processes, "worker")
        if marks[-1].depth - mark.depth >= step or not mark.depth or mark.now >= deadline:
            marks.append(mark)
    return _slices([mark for mark in marks[1:] if mark.depth < marks[0].depth]), marks[-1].depth


def _slices(marks: list[Mark]) -> list[Slice]:
    return [one.to(other) for one, other in pairwise(marks) if one.depth != other.depth]


def _mark(candidate: Candidate, processes: Processes, role: str) -> Mark:
    told = call(candidate.port, "GET", "/stats")
    if told.status != 200:
        raise LoadFailed(f"/stats: {told.status}")
    cpu = processes.cpu()
    stats = json.decode(told.body, type=Stats)
    return Mark(stats.depth, time.perf_counter(), cpu[role] + cpu["redis"])


def _verify(bench: Bench, candidate: Candidate, accepted: Accepted, done: int) -> None:
    # Nearly first in, first out: what came last may be at the end of the line still.
    sample = slice(0, done if done == len(accepted.ids) else done // 2, SAMPLE)
    asked = Accepted(accepted.ids[sample], accepted.requests[sample], 0.0)
    compared(asked, collect(candidate.port, asked.ids).bodies, bench.questions)


def _growth(slices: list[Slice]) -> float:
    """Of time or of CPU, whichever grows less: noise may move one, a cost that grows moves both."""
    if not slices:
        raise LoadFailed("the backlog was gone before its cost could be told")
    ordered = sorted(slices, key=lambda each: each.depth)
    return min(
        statistics.median(each.cpu for each in ordered[-3:])
        / statistics.median(each.cpu for each in ordered[:3]),
        statistics.median(each.seconds for each in ordered[-3:])
        / statistics.median(each.seconds for each in ordered[:3]),
    )


def _table(filled: list[Slice], emptied: list[Slice]) -> Table:
    rows: list[list[Cell]] = [
        [name, each.depth, 1e6 * each.seconds, 1e6 * each.cpu]
        for name, slices in (("filling", filled), ("emptying", emptied))
        for each in slices
    ]
    columns = ["", "backlog", "µs a prediction", "CPU µs a prediction"]
    return Table("Cost by backlog", columns, rows, NOTE)


def _memory(bytes_each: float, count: int, left: int) -> Table:
    row = [shown(count), shown(round(bytes_each)), shown(count - left)]
    columns = ["queued", "bytes of Redis for each", f"emptied within {DRAINED_WITHIN:.0f} s"]
    return Table("Memory of the queue", columns, [row])
