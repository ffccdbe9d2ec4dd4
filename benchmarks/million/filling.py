"""Fills a queue with a million predictions, in hundreds, and takes some off it again."""

import time
from collections.abc import Callable
from statistics import median

from msgspec.structs import replace

from benchmarks.harness.bench import Bench
from benchmarks.harness.candidates import Candidate
from benchmarks.harness.load import OUTCOMES_WITHIN
from benchmarks.harness.processes import Processes
from benchmarks.harness.results import Cell, Check, Part, Table, shown
from benchmarks.harness.wire import LoadFailed
from benchmarks.parts.hundreds import HUNDRED, Loop

MILLION = 1_000_000
SLICES = 20
FEW = 4
"""Slices at the beginning, and at the end, that are compared."""
FLAT = 1.10
MOST_BYTES = 1_100
TAKEN = 40_000
"""Predictions that the worker takes off the full queue, and off what is left of it."""
LOOK_SECONDS = 0.2
FILLED = f"""Submitted in hundreds of NDJSON, in {SLICES} slices, while there is no worker. CPU \
of the HTTP server and of Redis for each prediction. Redis does not rewrite its log meanwhile."""
EMPTIED = f"""CPU of the worker and of Redis for each of {TAKEN:,} predictions that are computed: \
off the full queue, and off a queue of {2 * TAKEN:,}, to which it is cut then."""


def run(bench: Bench) -> Part:
    """Fill the queue, weigh it, and empty a part of it."""
    candidate = _unbounded(bench.predictq())
    with candidate.running("redis", "api") as processes, candidate.redis() as client:
        client.config_set("auto-aof-rewrite-percentage", 0)
        slice_ = max(bench.scaled(MILLION / SLICES) // HUNDRED, 10) * HUNDRED
        used = client.info("memory")["used_memory"]
        costs = [_filled(bench, candidate, processes, slice_) for _ in range(SLICES)]
        count = client.llen("predict")
        each = (client.info("memory")["used_memory"] - used) / count
        processes.start("worker")
        taken = max(bench.scaled(TAKEN), 1_000)
        deep = _emptied(processes, lambda: client.llen("predict"), taken)
        client.ltrim("predict", -2 * taken, -1)
        shallow = _emptied(processes, lambda: client.llen("predict"), taken)
    return _part(costs, slice_, count, each, deep, shallow)


def _unbounded(candidate: Candidate) -> Candidate:
    """A copy of the candidate whose queue holds a million messages."""
    bound = {"PREDICTQ_MAX_QUEUED": str(2 * MILLION)}
    stages = tuple(
        tuple(replace(each, environment={**each.environment, **bound}) for each in stage)
        for stage in candidate.stages
    )
    return replace(candidate, stages=stages)


def _filled(bench: Bench, candidate: Candidate, processes: Processes, many: int) -> float:
    before = processes.cpu()
    loop = Loop(candidate.port, bench.questions, fetches=False)
    try:
        loop.run(OUTCOMES_WITHIN, many)
    finally:
        loop.close()
    after = processes.cpu()
    return sum(after[name] - before[name] for name in ("api", "redis")) / many


def _emptied(processes: Processes, depth: Callable[[], int], many: int) -> float:
    """CPU seconds for each prediction, once the worker computes."""
    full = depth()
    _until(lambda: depth() < full)
    before, start = processes.cpu(), depth()
    _until(lambda: depth() <= start - many)
    after, left = processes.cpu(), depth()
    return sum(after[name] - before[name] for name in ("worker", "redis")) / (start - left)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + OUTCOMES_WITHIN
    while not holds():
        if time.monotonic() > deadline:
            raise LoadFailed("the queue does not become shorter")
        time.sleep(LOOK_SECONDS)


def _part(
    costs: list[float], slice_: int, count: int, each: float, deep: float, shallow: float
) -> Part:
    first, last = median(costs[:FEW]), median(costs[-FEW:])
    filled: list[list[Cell]] = [
        [f"the first {shown(FEW * slice_)}", 1e6 * first],
        [f"the last {shown(FEW * slice_)} of {shown(count)}", 1e6 * last],
    ]
    emptied: list[list[Cell]] = [["full queue", 1e6 * deep], ["short queue", 1e6 * shallow]]
    columns = ["", "CPU µs a prediction"]
    weight: list[list[Cell]] = [[shown(count), round(each)]]
    return Part(
        "filling",
        [
            Table("Filling", columns, filled, FILLED),
            Table("Emptying", columns, emptied, EMPTIED),
            Table("Memory", ["queued", "bytes of Redis for each"], weight),
        ],
        [
            Check("filling, the last over the first", last / first, "at most", FLAT),
            Check("emptying, full over short", deep / shallow, "at most", FLAT),
            Check("bytes of Redis for each", each, "at most", MOST_BYTES),
        ],
    )
