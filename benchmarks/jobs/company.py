"""Single predictions beside a batch job: they come first."""

from benchmarks.bench import Bench
from benchmarks.jobs.desk import desk, files
from benchmarks.jobs.inputs import make_parquet
from benchmarks.load import latencies
from benchmarks.results import Cell, Check, Part, Table, percentile
from benchmarks.wire import LoadFailed

ROWS = 5_000_000
RATE = 50
"""Single predictions a second beside a job."""
SLOWER = 2.0
TIMES = 8
"""As long as other measurements, since the slowest of a hundred are looked at."""
NOTE = """`POST /predict` with `Prefer: wait=10`, at fixed times whatever becomes of those before; \
alone, and while a job runs from before the first until after the last. Milliseconds."""


def run(bench: Bench) -> Part:
    """Alone, then beside a job."""
    rows = max(bench.scaled(ROWS), 1000)
    source = make_parquet(files(bench) / f"{rows}.parquet", rows)
    requests = bench.questions.requests("/predict", "Prefer: wait=10")
    with desk(bench) as open_desk:
        port, seconds = open_desk.candidate.port, TIMES * bench.seconds
        quiet = latencies(port, requests, RATE, seconds)
        job = open_desk.submit(source, source.with_stem("beside"))
        beside = latencies(port, requests, RATE, seconds)
        if open_desk.cancel(job) and bench.is_whole:
            raise LoadFailed("the job was over before the predictions")
    return _part({"alone": quiet, "beside a job": beside})


def _part(found: dict[str, list[float]]) -> Part:
    rows: list[list[Cell]] = [
        [name, 1000 * percentile(taken, 0.5), 1000 * percentile(taken, 0.99)]
        for name, taken in found.items()
    ]
    quiet, beside = (percentile(taken, 0.99) for taken in found.values())
    check = Check("p99 of predictions: beside a job over alone", beside / quiet, "at most", SLOWER)
    title = f"Single predictions at {RATE}/s beside a job"
    return Part("company", [Table(title, ["", "p50", "p99"], rows, NOTE)], [check])
