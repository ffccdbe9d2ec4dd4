"""`python -m benchmarks`: runs all parts, or those named, and fails where a ratio is missed."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks import (
    backlog,
    batches,
    costs,
    jobs,
    latency,
    memory,
    report,
    sizes,
    throughput,
)
from benchmarks.bench import WHOLE, Bench
from benchmarks.results import Part, Run
from benchmarks.wire import LoadFailed

PARTS: dict[str, Callable[[Bench], Part]] = {
    "throughput": throughput.run,
    "latency": latency.run,
    "batches": batches.run,
    "backlog": backlog.run,
    "memory": memory.run,
    "models": sizes.run,
    "costs": costs.run,
    "jobs": jobs.run,
}


@click.command()
@click.argument("names", nargs=-1, metavar="[PART]...", type=click.Choice(list(PARTS)))
@click.option("--seconds", default=WHOLE, show_default=True, help="Length of a measurement.")
@click.option("--record", is_flag=True, help="Keep the run: JSON, plots and README.")
def main(names: tuple[str, ...], seconds: float, record: bool) -> None:
    """Measure predictq beside its baselines; PART is one of throughput, latency, ..."""
    if record and (names or seconds < WHOLE):
        raise click.UsageError("what is recorded is a whole run")
    _leave_nothing_to_the_environment()
    with TemporaryDirectory(prefix="predictq-benchmarks-") as directory:
        load, bench = os.getloadavg()[0], Bench(seconds, Path(directory))
        run = Run.of(seconds, load, [_measured(bench, name) for name in names or PARTS])
    click.echo(report.text(run))
    if record:
        _record(run)
    sys.exit(not run.holds)


def _measured(bench: Bench, name: str) -> Part:
    started = time.monotonic()
    try:
        part = PARTS[name](bench)
    except LoadFailed as failure:  # the other parts are worth their while still
        part = Part(name, [], failure=str(failure))
    click.echo(f"{name}: {time.monotonic() - started:.0f} s", err=True)
    return part


def _leave_nothing_to_the_environment() -> None:
    """What the caller set for a stack must not change what is measured; a signal ends us whole."""
    for name in [name for name in os.environ if name.startswith("PREDICTQ_")]:
        del os.environ[name]
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _record(run: Run) -> None:
    from benchmarks import plots  # noqa: PLC0415 - matplotlib takes a second

    click.echo(f"recorded {report.record(run)}")
    plots.draw(run, report.HERE)
    report.README.write_text(report.page(run))


if __name__ == "__main__":
    main()
