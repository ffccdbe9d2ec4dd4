"""Lists the small changes of the code that no test notices.

`python -m benchmarks.mutants lua` or `python`.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from benchmarks.harness import report
from benchmarks.harness.results import Part, Run
from benchmarks.mutants import modules, summary
from benchmarks.mutants.forking import ForkingLoop
from benchmarks.mutants.lua import Mutant, mutants, script_names
from stack.process import ROOT
from tasks.ledger.scripts import script_text

HERE = Path(__file__).parent
TESTS = "tests/integration/ledger", "tests/integration/rollouts", "tests/integration/webhooks"
OPTIONS = "-q", "-s", "-m", "not slow and not unmeasured", "-p", "no:cacheprovider"
CORES = os.cpu_count() or 1
at_a_time = click.option(
    "--processes", default=CORES, show_default="number of cores", help="Mutants at a time."
)
recorded = click.option("--record", is_flag=True, help="Keep the result: JSON and a page.")


@click.group()
def main() -> None:
    """Run mutation tests."""


@main.command()
@click.option("--script", multiple=True, help="Only this one, such as jobs.begin; repeatable.")
@at_a_time
@recorded
def lua(script: tuple[str, ...], processes: int, record: bool) -> None:
    """Mutate the ledger's scripts, against the tests of the ledger that run them."""
    started, load = time.monotonic(), os.getloadavg()[0]
    names = script or script_names()
    pending = [mutant for name in names for mutant in mutants(name, script_text(name))]
    lives: dict[Mutant, bool] = {}

    def note(mutant: Mutant, is_alive: bool) -> None:
        lives[mutant] = is_alive
        if is_alive:
            click.echo(f"{len(lives)}/{len(pending)} lives: {mutant.name}")

    loop = ForkingLoop(pending, note, processes)
    if pytest.main([*OPTIONS, *TESTS], plugins=[loop]):
        sys.exit("the tests of the ledger fail without any mutant")
    _report(summary.of_scripts(lives), started, load, record=record)


@main.command()
@click.option(
    "--module",
    multiple=True,
    help="Only this one, such as tasks.gateway; repeatable. Others keep their recorded figures.",
)
@at_a_time
@recorded
def python(module: tuple[str, ...], processes: int, record: bool) -> None:
    """Mutate what [tool.mutmut] in pyproject.toml names, against the unit tests named there."""
    started, load = time.monotonic(), os.getloadavg()[0]
    mutmut = Path(sys.executable).with_name("mutmut")
    if not mutmut.exists():
        # Not in the lock: it installs setproctitle, which would rename the processes of stacks.
        uv = f"{mutmut.with_name('uv')} pip install --python {sys.executable}"
        sys.exit(f"install mutmut first: {uv} 'mutmut>=3.8'")
    chosen = [f"{each}.*" for each in module]
    subprocess.run([mutmut, "run", "--max-children", str(processes), *chosen], cwd=ROOT, check=True)

    def told(*arguments: str) -> str:
        return subprocess.check_output([mutmut, *arguments], cwd=ROOT, text=True)

    results = told("results", "--all", "true")
    part = summary.of_modules(results, lambda mutant: modules.change(told("show", mutant)), module)
    before = [part for run in report.recorded(HERE) for part in run.parts if part.name == "python"]
    if module and before:
        part = summary.updated(before[-1], part, module)
    _report(part, started, load, record=record)


def _report(part: Part, started: float, load: float, *, record: bool) -> None:
    """Print the result, and record it."""
    run = Run.of(0, load, [part], time.monotonic() - started)
    click.echo(report.text(run))
    if record:
        click.echo(f"recorded {report.record(run, HERE)}")
        page = HERE / f"{part.name}.md"
        page.write_text(report.page(run, page))


if __name__ == "__main__":
    main()
