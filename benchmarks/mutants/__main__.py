"""Lists the small changes of the code that no test notices.

`python -m benchmarks.mutants python` or `lua`. Both work on a copy, one mutant at a time, and
resume where they stopped.
"""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks.harness import report
from benchmarks.harness.results import Cell, Check, Part, Run, Table
from benchmarks.mutants.survey import known_states
from stack.process import ROOT

HERE = Path(__file__).parent
COPY = ROOT / "build/mutants"
FLOOR = 0.8
"""Share of the mutants that the tests have to notice."""
LIVING = """Some of them change nothing that can be seen: a bound that the caller keeps as well, \
a time limit one second longer, a deletion of what expires anyway."""


@click.group()
def main() -> None:
    """Run mutation tests."""


@main.command()
def python() -> None:
    """Mutate what [tool.mutmut] in pyproject.toml names, against the fast unit tests."""
    mutmut = Path(sys.executable).with_name("mutmut")
    if not mutmut.exists():
        # Not in the lock: it installs setproctitle, which would rename the processes of stacks.
        sys.exit(f"install mutmut first: {mutmut.with_name('uv')} pip install 'mutmut>=3.3'")
    subprocess.run([mutmut, "run", "--max-children", "1"], cwd=ROOT, check=False)
    sys.exit(subprocess.run([mutmut, "results"], cwd=ROOT, check=False).returncode)


@main.command()
@click.option("--script", default="*.lua", help="Only these, as a pattern of file names.")
@click.option("--record", is_flag=True, help="Keep the result: JSON and README.")
def lua(script: str, record: bool) -> None:
    """Mutate the ledger's scripts, against the tests of the ledger over a real Redis."""
    started, load = time.monotonic(), os.getloadavg()[0]
    _copy()
    command = [sys.executable, "-m", "benchmarks.mutants.survey", script, str(_results())]
    if subprocess.run(command, cwd=COPY, check=False).returncode:
        sys.exit("the tests of the ledger fail without any mutant")
    run = Run.of(0, load, [_part(known_states(_results()))], time.monotonic() - started)
    click.echo(report.text(run))
    if record:
        click.echo(f"recorded {report.record(run, HERE)}")
        page = HERE / report.PAGE
        page.write_text(report.page(run, page))


def _part(known: Mapping[str, str]) -> Part:
    """Counts for each script, and the mutants that no test notices."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, state in known.items():
        counts[name.partition(":")[0]][state] += 1
    rows: list[list[Cell]] = [
        [script, count.total(), count["killed"], count["lives"]]
        for script, count in sorted(counts.items())
    ]
    scripts = Table(
        "Mutants of the ledger's scripts", ["script", "all", "killed", "live"], rows, ""
    )
    living = [[f"`{name}`"] for name in sorted(known) if known[name] == "lives"]
    unnoticed = Table("Mutants that no test notices", ["mutant"], living, LIVING)
    share = sum(count["killed"] for count in counts.values()) / max(len(known), 1)
    return Part("mutants", [scripts, unnoticed], [Check("killed share", share, "at least", FLOOR)])


def _copy() -> None:
    """Copy all files that git does not ignore, with uncommitted changes."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in listed.splitlines():
        (COPY / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, COPY / name)


def _results() -> Path:
    return COPY.with_suffix(".json")


if __name__ == "__main__":
    main()
