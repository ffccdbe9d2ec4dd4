"""Lists the small changes of the code that no test notices: `python -m benchmarks.mutants lua`."""

import os
import sys
import time

import click
import pytest

from benchmarks.harness import report
from benchmarks.harness.results import Run
from benchmarks.mutants.forking import ForkingLoop
from benchmarks.mutants.lua import Mutant, mutants, script_names
from tasks.ledger.scripts import script_text

OPTIONS = "-q", "-s", "-m", "not slow and not unmeasured", "-p", "no:cacheprovider"
TESTS = "tests/integration/ledger"


@click.group()
def main() -> None:
    """Run mutation tests."""


@main.command()
@click.option("--script", multiple=True, help="Only this one; repeatable.")
@click.option("--processes", default=os.cpu_count(), show_default=True, help="Mutants at a time.")
def lua(script: tuple[str, ...], processes: int) -> None:
    """Mutate the ledger's scripts, against the tests of the ledger over a real Redis."""
    states: dict[Mutant, str] = {}

    def note(mutant: Mutant, state: str) -> None:
        states[mutant] = state
        if state != "killed":
            click.echo(f"{state:8} {mutant.name}")

    names = script or script_names()
    pending = (mutant for name in names for mutant in mutants(name, script_text(name)))
    loop = ForkingLoop(pending, note, processes)
    sys.exit(pytest.main([*OPTIONS, TESTS], plugins=[loop]))


if __name__ == "__main__":
    main()
