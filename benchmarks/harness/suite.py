"""A suite: parts that are measured in one run and recorded in the suite's README."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.harness import report
from benchmarks.harness.bench import WHOLE, Bench
from benchmarks.harness.results import Part, Run
from benchmarks.harness.wire import LoadFailed

Measure = Callable[[Bench], Part]


def command(
    parts: Mapping[str, Measure], directory: Path, on_record: Callable[[Run], None] | None = None
) -> click.Command:
    """A command that runs all parts, or those named, and fails if a check does not hold.

    ``on_record``: gets a run once it is recorded.
    """

    @click.command()
    @click.argument("names", nargs=-1, metavar="[PART]...", type=click.Choice(list(parts)))
    @click.option("--seconds", default=WHOLE, show_default=True, help="Length of a measurement.")
    @click.option("--record", is_flag=True, help="Keep the run: JSON, plots and README.")
    def main(names: tuple[str, ...], seconds: float, record: bool) -> None:
        """Measure predictq and its baselines."""
        if record and (names or seconds < WHOLE):
            raise click.UsageError("what is recorded is a whole run")
        run = _run({name: parts[name] for name in names or parts}, seconds)
        click.echo(report.text(run))
        if record:
            _record(run, directory)
            if on_record is not None:
                on_record(run)
        sys.exit(not run.holds)

    return main


def _run(parts: Mapping[str, Measure], seconds: float) -> Run:
    _leave_nothing_to_the_environment()
    with TemporaryDirectory(prefix="predictq-benchmarks-") as directory:
        load, bench = os.getloadavg()[0], Bench(seconds, Path(directory))
        started = time.monotonic()
        measured = [_measured(bench, *part) for part in parts.items()]
        return Run.of(seconds, load, measured, time.monotonic() - started)


def _measured(bench: Bench, name: str, measure: Measure) -> Part:
    started = time.monotonic()
    try:
        part = measure(bench)
    except LoadFailed as failure:  # go on with the other parts
        part = Part(name, [], failure=str(failure))
    click.echo(f"{name}: {time.monotonic() - started:.0f} s", err=True)
    return part


def _leave_nothing_to_the_environment() -> None:
    """Drop settings of a stack from the environment, and let signals end all processes."""
    for name in [name for name in os.environ if name.startswith("PREDICTQ_")]:
        del os.environ[name]
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _record(run: Run, directory: Path) -> None:
    from benchmarks.harness import plots  # noqa: PLC0415 - matplotlib takes a second

    click.echo(f"recorded {report.record(run, directory)}")
    plots.draw(run, directory)
    page = directory / report.PAGE
    page.write_text(report.page(run, page))
