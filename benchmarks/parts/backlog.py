"""Compares the cost per prediction in a short queue and behind 200,000 others."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from statistics import median

from benchmarks.harness.bench import Bench
from benchmarks.harness.load import OUTCOMES_WITHIN
from benchmarks.harness.queued import Cost, Queued
from benchmarks.harness.results import Cell, Check, Part, Spread, Table, shown
from benchmarks.harness.wire import LoadFailed

BACKLOG = 200_000
SLICES = 8
PAIRS = 20
PIECE = 1_500
"""Predictions submitted to each system in turn."""
SHALLOW = 20_000
"""Predictions in the short queue, so that its worker has work too."""
LEAST = 500
"""Least number of predictions in a piece or a slice."""
SAMPLE_SECONDS = 0.5
"""Seconds between two marks while draining."""
FLAT = 1.10
SAMPLE = 100
"""One in so many outcomes is compared with the model's own prediction."""
ALONE = """One queue, filled while there is no worker. Per prediction: time, and CPU of the HTTP \
server and Redis. What the machine does meanwhile shows in it, and so does Redis, which rewrites \
its log whenever that has doubled."""
DEEP = BACKLOG - PAIRS * PIECE
NOTE = f"""Two stacks on one machine, so that its noise strikes both alike: in one {SHALLOW:,} to \
{SHALLOW + PAIRS * PIECE:,} are queued, in the other {DEEP:,} to {BACKLOG:,}. To be filled, each \
takes {PIECE:,} in turn, {PAIRS} times; both are emptied at once, until the first is empty, \
and looked at each {SAMPLE_SECONDS} s. Medians; ratio: deep over shallow, side by side, its \
median and range. The checks are on time. Redis rewrites the larger log before."""
Pair = tuple[Cost, Cost]


def run(bench: Bench) -> Part:
    """Fill one queue, then both in turn, and drain both at once."""
    piece = max(bench.scaled(PIECE), LEAST)
    turns = range(PAIRS if bench.is_whole else 2)
    slice_ = max(bench.scaled(DEEP) // SLICES, LEAST)
    with ExitStack() as stack:
        shallow, deep = (_queued(bench, stack) for _ in range(2))
        alone = [(slice_ * n, deep.fill(slice_)) for n in range(1, SLICES + 1)]
        shallow.fill(max(bench.scaled(SHALLOW), LEAST))
        deep.rewrite_log()
        filled = [(shallow.fill(piece), deep.fill(piece)) for _ in turns]
        memory = _memory(deep)
        deep.rewrite_log()
        emptied = _emptied_at_once(shallow, deep)
        for each in (shallow, deep):
            each.verify(SAMPLE)
    beside = {"filling": filled, "emptying": emptied}
    checks = [
        Check(f"{name}, deep over shallow", _ratios(pairs, "seconds").median, "at most", FLAT)
        for name, pairs in beside.items()
    ]
    return Part("backlog", [_beside(beside), _alone(alone), memory], checks)


def _emptied_at_once(shallow: Queued, deep: Queued) -> list[Pair]:
    with ThreadPoolExecutor() as together:  # both at once, or one would end before the other begins
        list(together.map(Queued.employ, (shallow, deep)))
    marks = [(shallow.mark(), deep.mark())]
    deadline = time.monotonic() + OUTCOMES_WITHIN
    while len(marks) == 1 or marks[-1][0].depth:  # a short queue may be empty at the first check
        if time.monotonic() > deadline:
            raise LoadFailed("the shallow queue does not become empty")
        time.sleep(SAMPLE_SECONDS)
        marks.append((shallow.mark(), deep.mark()))
    # Drop the last interval, in which the first queue ran dry, unless it is the only one.
    steps = list(pairwise(marks))
    return [(a.to(b), c.to(d)) for (a, c), (b, d) in steps[:-1] or steps]


def _queued(bench: Bench, stack: ExitStack) -> Queued:
    candidate = bench.predictq()
    processes = stack.enter_context(candidate.running("redis", "api"))
    return Queued(candidate, processes, bench.questions)


def _ratios(pairs: list[Pair], measure: str) -> Spread:
    return Spread.of(getattr(deep, measure) / getattr(shallow, measure) for shallow, deep in pairs)


def _beside(beside: dict[str, list[Pair]]) -> Table:
    rows = [
        _compared(f"{name}, {unit}", pairs, measure)
        for name, pairs in beside.items()
        for measure, unit in (("seconds", "µs"), ("cpu", "µs of CPU"))
    ]
    columns = ["a prediction", "shallow", "deep", "ratio"]
    return Table("Cost beside a backlog", columns, rows, NOTE)


def _compared(name: str, pairs: list[Pair], measure: str) -> list[Cell]:
    shallow, deep = (
        median(1e6 * getattr(each, measure) for each in side) for side in zip(*pairs, strict=True)
    )
    return [name, shallow, deep, str(_ratios(pairs, measure))]


def _alone(alone: list[tuple[int, Cost]]) -> Table:
    rows: list[list[Cell]] = [[depth, 1e6 * cost.seconds, 1e6 * cost.cpu] for depth, cost in alone]
    columns = ["backlog", "µs a prediction", "CPU µs a prediction"]
    return Table("Cost by backlog", columns, rows, ALONE)


def _memory(deep: Queued) -> Table:
    row = [shown(deep.count), shown(round(deep.bytes_each()))]
    return Table("Memory of the queue", ["queued", "bytes of Redis for each"], [row])
