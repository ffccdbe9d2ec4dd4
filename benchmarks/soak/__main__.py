"""`python -m benchmarks.soak`: a stack with Flower under steady load; no process may grow."""

import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks.harness import models, report
from benchmarks.harness.bench import Bench
from benchmarks.harness.candidates import Candidate
from benchmarks.harness.load import latencies
from benchmarks.harness.models import Model
from benchmarks.harness.results import Check, Part, Run, Table, percentile
from benchmarks.harness.saturation import warm
from benchmarks.soak.judging import COLUMNS, MEMORY, SHARE, checks, trends
from benchmarks.soak.sampling import Key, Sample, Sampler
from predictq import Client

HERE = Path(__file__).parent
EVERY = 5.0
"""Seconds between samples."""
RATE = 100
"""Predictions a second: Flower, which keeps 40,000 events, three a prediction, is full before the
warm-up of ten minutes ends. At 50 it still filled up, and seemed to grow."""
KEPT = "30"
"""Seconds to keep outcomes; short, because Redis grows with the outcomes it keeps."""
JOBS_EVERY = 30.0
"""Seconds from one batch job to the next."""
JOB_TIMEOUT = 120.0
"""Seconds to wait for a job."""
NOTE = f"""Predictions at a steady rate, each looked up until it is answered, and a batch job \
each {JOBS_EVERY:.0f} s, with Flower. Looked at each {EVERY:.0f} s; the first third is warm-up. \
A process may grow by {MEMORY:.0f} MiB or {SHARE:.0%}, whichever is more. Outcomes are kept for \
{KEPT} s."""


@click.command()
@click.option("--minutes", default=10.0, show_default=True, help="Length of the load.")
@click.option("--rate", default=RATE, show_default=True, help="Predictions a second.")
@click.option("--record", is_flag=True, help="Keep the run: JSON and README.")
def main(minutes: float, rate: int, record: bool) -> None:
    """Load a stack for some minutes; fails if a process grows beyond its bound."""
    _prepare()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="predictq-soak-") as directory:
        bench = Bench(60 * minutes, Path(directory))
        model = models.logistic(bench.directory)
        part = _soak(bench.predictq(model, flower=True), model, rate, 60 * minutes)
    run = Run.of(60 * minutes, load, [part], 60 * minutes)
    click.echo(report.text(run))
    if record:
        _record(run)
    sys.exit(not run.holds)


def _soak(candidate: Candidate, model: Model, rate: int, seconds: float) -> Part:
    names = [program.name for stage in candidate.stages for program in stage]
    questions, taken = model.questions(), list[float]()
    with candidate.running() as processes, Client(f"http://127.0.0.1:{candidate.port}") as client:
        warm(candidate, questions)
        sampler, end = Sampler(processes, names), time.monotonic() + seconds
        rows = json.loads(questions.bodies[0])["features"] * 2000
        job = _job(client, model, rows)
        beside = [_until(end, EVERY, sampler.look), _until(end, JOBS_EVERY, job)]
        requests = questions.requests()
        while (left := end - time.monotonic()) > 0:
            taken += latencies(candidate.port, requests, rate, min(left, EVERY))
        for thread in beside:
            thread.join()
    return _part(sampler.seen, seconds, taken)


def _until(end: float, pause: float, call: Callable[[], object]) -> threading.Thread:
    """Call a function regularly in a thread, until the load ends."""

    def run() -> None:
        while (left := end - time.monotonic()) > 0:
            call()
            time.sleep(min(pause, max(left, 0.0)))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def _job(client: Client, model: Model, rows: list[list[float]]) -> Callable[[], object]:
    return lambda: client.jobs.wait(client.jobs.submit(model.name, rows).id, JOB_TIMEOUT)


def _part(seen: dict[Key, list[Sample]], seconds: float, taken: list[float]) -> Part:
    found = sorted(trends(seen, seconds), key=lambda trend: (trend.name, trend.pid))
    note = f"{NOTE} {len(taken):,} predictions, p99 {1000 * percentile(taken, 0.99):.0f} ms."
    table = Table(f"Soak of {seconds / 60:.0f} minutes", COLUMNS, [t.row for t in found], note)
    judged = Check("processes that were judged", len(found), "at least", 6)
    return Part("soak", [table], [judged, *checks(found)])


def _prepare() -> None:
    """Drop settings of a stack from the environment, and let signals end all processes."""
    for name in [name for name in os.environ if name.startswith("PREDICTQ_")]:
        del os.environ[name]
    os.environ["PREDICTQ_RESULT_TTL"] = os.environ["PREDICTQ_JOB_TTL"] = KEPT
    os.environ["PREDICTQ_BATCH_PRIORITY"] = (
        "normal"  # on a busy machine low priority would starve jobs
    )
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _record(run: Run) -> None:
    click.echo(f"recorded {report.record(run, HERE)}")
    page = HERE / report.PAGE
    page.write_text(report.page(run, page))


if __name__ == "__main__":
    main()
