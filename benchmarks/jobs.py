"""How fast a batch job is beside the best script, and what all of it takes meanwhile."""

import threading
from pathlib import Path
from typing import Self

import msgspec
import pyarrow.parquet as pq

from benchmarks.bench import Bench
from benchmarks.candidates import Candidate
from benchmarks.load import latencies
from benchmarks.models import FEATURES, MEGABYTE
from benchmarks.processes import Processes
from benchmarks.results import Cell, Check, Part, Spread, Table, percentile
from benchmarks.saturation import warm
from benchmarks.scripts import SCRIPTS, make_rows
from benchmarks.wire import LoadFailed
from tasks.ids import Ids
from tasks.jobs.gateway import Jobs
from tasks.jobs.job import Order, Place
from tasks.ledger.ledger import connect
from tasks.ledger.watcher import Watcher
from tasks.settings import Settings

SIZES = 1_000_000, 3_000_000
"""Rows."""
SHARE = 0.9
"""Of the best script's speed."""
MEMORY = 1200 * MEGABYTE
PATIENCE = 300.0
"""Seconds for a job."""
LOOK = 1.0
"""Seconds between two looks at the memory, which cost time themselves."""
RATE = 50
"""Single predictions a second beside a job."""
SLOWER = 2.0
BESIDE = """`POST /predict` with `Prefer: wait=10`, at fixed times whatever becomes of those \
before; alone, and while a job runs from before the first until after most. Milliseconds."""
NOTE = f"""Parquet to Parquet, {FEATURES} columns of random doubles, forest of 100 trees, input by \
reference; two processes. A job counts from its acceptance to its completion, a script without \
its imports and without loading the model. Rows a second: median (least to greatest) of rounds in \
turn. Memory: greatest sum of PSS of all processes, Redis and API included, MB."""


class Seen(msgspec.Struct):
    """What was seen of one way at one size."""

    name: str
    rows: int
    seconds: list[float]
    memory: int = 0

    @property
    def rates(self) -> Spread:
        """Rows a second."""
        return Spread.of(self.rows / seconds for seconds in self.seconds)


def run(bench: Bench) -> Part:
    """Scripts and jobs in turn, at each size; the output must be the same."""
    tables: list[list[Cell]] = []
    checks: list[Check] = []
    candidate = bench.predictq(workers=2)
    with candidate.running() as processes:
        warm(candidate, bench.questions)
        for size in SIZES:
            seen = _compared(bench, candidate, processes, max(bench.scaled(size), 1000))
            tables += [_row(each) for each in seen]
            checks += _checks(seen)
        quiet, beside = _latencies(bench, candidate)
    rows: list[list[Cell]] = [
        [name, percentile(taken, 0.5), percentile(taken, 0.99)]
        for name, taken in (("alone", quiet), ("beside a job", beside))
    ]
    slower = percentile(beside, 0.99) / percentile(quiet, 0.99)
    checks.append(Check("p99 of predictions: beside a job over alone", slower, "at most", SLOWER))
    columns = ["", "rows", "rows a second", "memory"]
    latency = Table(f"Single predictions at {RATE}/s", ["", "p50", "p99"], rows, BESIDE)
    return Part("jobs", [Table("Batch jobs", columns, tables, NOTE), latency], checks)


def _latencies(bench: Bench, candidate: Candidate) -> tuple[list[float], list[float]]:
    """Milliseconds of predictions alone, and while a job takes all that is left."""
    requests = bench.questions.requests("/predict", "Prefer: wait=10")

    def taken() -> list[float]:
        return [1000 * each for each in latencies(candidate.port, requests, RATE, bench.seconds)]

    directory = candidate.home / "jobs" / "files"
    source = directory / f"{max(bench.scaled(SIZES[-1]), 1000)}.parquet"
    quiet = taken()
    jobs = _gateway(candidate)
    job = jobs.create(_order(source, directory / "beside.parquet"))
    beside = taken()
    if jobs.wait(job.id, PATIENCE).status != "completed":
        raise LoadFailed("the job beside the predictions has failed")
    return quiet, beside


def _compared(bench: Bench, candidate: Candidate, processes: Processes, rows: int) -> list[Seen]:
    directory = candidate.home / "jobs" / "files"  # where jobs may read and write
    directory.mkdir(parents=True, exist_ok=True)
    source = make_rows(directory / f"{rows}.parquet", rows, FEATURES)
    plain, target = directory / "plain.parquet", directory / "job.parquet"
    scripts = [Seen(str(script), rows, []) for script in SCRIPTS]
    job = Seen("batch job", rows, [])
    for _ in range(bench.rounds):
        for script, seen in zip(SCRIPTS, scripts, strict=True):
            seen.seconds.append(script.run(bench.forest.path, source, plain))
        with _Memory(processes) as memory:
            job.seconds.append(_scored(candidate, source, target))
        job.memory = max(job.memory, memory.greatest)
        if not pq.read_table(plain).equals(pq.read_table(target)):
            raise LoadFailed("the job's output is not the script's")
    return [*scripts, job]


def _scored(candidate: Candidate, source: Path, target: Path) -> float:
    """Seconds of a job, by Redis's clock."""
    jobs = _gateway(candidate)
    job = jobs.wait(jobs.create(_order(source, target)).id, PATIENCE)
    if job.status != "completed" or job.ended_at is None:
        raise LoadFailed(f"the job is {job.status}: {job.error}")
    return job.ended_at - job.created_at


def _order(source: Path, target: Path) -> Order:
    return Order(
        model="forest",
        version=1,
        input=Place(uri=str(source)),
        output=Place(uri=str(target)),
    )


def _gateway(candidate: Candidate) -> Jobs:
    settings = Settings(home=candidate.home, redis_url=candidate.redis_url)
    client = connect(candidate.redis_url)
    return Jobs(client, Watcher(client), Ids(b"benchmarks"), settings)


class _Memory:
    """Watches what all processes take together."""

    def __init__(self, processes: Processes) -> None:
        self._processes, self._over = processes, threading.Event()
        self.greatest = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            names = "redis", "api", "worker", "bulk"
            self.greatest = max(self.greatest, sum(map(self._processes.pss, names)))


def _row(seen: Seen) -> list[Cell]:
    memory = seen.memory / MEGABYTE if seen.memory else "-"
    return [seen.name, seen.rows, str(seen.rates), memory]


def _checks(seen: list[Seen]) -> list[Check]:
    *scripts, job = seen
    best = max(script.rates.median for script in scripts)
    claim = f"{job.rows:,} rows: job over best script"
    return [
        Check(claim, job.rates.median / best, "at least", SHARE),
        Check(f"{job.rows:,} rows: memory over the bound", job.memory / MEMORY, "at most", 1.0),
    ]
