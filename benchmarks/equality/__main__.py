"""`python -m benchmarks.equality`: compares predictions of random models by every door."""

import os
import sys
import time
from collections.abc import Iterable

import click

from benchmarks.equality import report
from benchmarks.equality.cases import case
from benchmarks.equality.counting import Tally
from benchmarks.equality.judging import judged
from benchmarks.harness.results import Run

EVERY = 100
"""Cases between progress messages."""


@click.command()
@click.option("--cases", default=200, show_default=True, help="Number of cases.")
@click.option("--seed", default=1, show_default=True, help="Seed of the random models.")
@click.option(
    "--case", "single", type=int, help="Compare only this case, and print every difference."
)
@click.option("--record", is_flag=True, help="Keep the run: JSON and README.")
def main(cases: int, seed: int, single: int | None, record: bool) -> None:
    """Compare predictions through every door with the models' own."""
    if record and single is not None:
        raise click.UsageError("--record needs a whole run, without --case")
    numbers: Iterable[int] = range(cases) if single is None else [single]
    load, started, tally = os.getloadavg()[0], time.monotonic(), Tally()
    for number in numbers:
        tally.add(judged(case(seed, number)))
        if tally.cases % EVERY == 0:
            click.echo(f"{tally.cases:,} cases, {tally.failed} failed", err=True)
    run = Run.of(0, load, [], time.monotonic() - started)
    found = report.equality_run(run, seed, tally)
    click.echo(report.text(found))
    if record:
        click.echo(f"recorded {report.record(found)}")
    sys.exit(bool(tally.failed))


if __name__ == "__main__":
    main()
