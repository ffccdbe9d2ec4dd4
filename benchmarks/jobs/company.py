"""Latency of single predictions while a batch job runs: they have priority."""

from itertools import chain

import msgspec

from benchmarks.harness.bench import Bench
from benchmarks.harness.load import latencies
from benchmarks.harness.results import Cell, Check, Part, Spread, Table, percentile
from benchmarks.harness.wire import LoadFailed
from benchmarks.jobs.desk import desk, files
from benchmarks.jobs.inputs import make_parquet

ROWS = 15_000_000
RATE = 50
"""Single predictions per second."""
SLOWER = 2.0
TIMES = 4
"""Factor on the length of a measurement, because the 99th percentile needs many values."""
COLUMNS = ["", "p50", "p99", "p99 of all"]
NOTE = """`POST /predict` with `Prefer: wait=10`, at fixed times whatever becomes of those before; \
alone, and while a job runs from before the first until after the last. Milliseconds: median \
(least to greatest) of rounds in turn, and the slowest in a hundred of all rounds together."""


class Seen(msgspec.Struct):
    """Latencies of single predictions in seconds, by round."""

    name: str
    rounds: list[list[float]] = []

    @property
    def slowest(self) -> float:
        """The 99th percentile over all rounds in milliseconds."""
        return 1000 * percentile(list(chain.from_iterable(self.rounds)), 0.99)

    def row(self) -> list[Cell]:
        """A row of the table."""
        return [self.name, self._spread(0.5), self._spread(0.99), self.slowest]

    def _spread(self, share: float) -> str:
        return str(Spread.of(1000 * percentile(taken, share) for taken in self.rounds))


def run(bench: Bench) -> Part:
    """Measure alone, then with a job running."""
    rows = max(bench.scaled(ROWS), 1000)
    source = make_parquet(files(bench) / f"{rows}.parquet", rows)
    requests = bench.questions.requests("/predict", "Prefer: wait=10")
    alone, beside = Seen("alone"), Seen("beside a job")
    with desk(bench) as open_desk:
        port, seconds = open_desk.candidate.port, TIMES * bench.seconds
        for _ in range(bench.rounds):
            alone.rounds.append(latencies(port, requests, RATE, seconds))
            job = open_desk.submit(source, source.with_stem("beside"))
            beside.rounds.append(latencies(port, requests, RATE, seconds))
            if open_desk.cancel(job) and bench.is_whole:
                raise LoadFailed("the job was over before the predictions")
    return _part(alone, beside)


def _part(alone: Seen, beside: Seen) -> Part:
    ratio = beside.slowest / alone.slowest
    check = Check("p99 of predictions: beside a job over alone", ratio, "at most", SLOWER)
    title = f"Single predictions at {RATE}/s beside a job"
    rows = [seen.row() for seen in (alone, beside)]
    return Part("company", [Table(title, COLUMNS, rows, NOTE)], [check])
