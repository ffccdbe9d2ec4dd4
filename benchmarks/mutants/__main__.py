"""Lists the small changes of the code that no test notices.

`python -m benchmarks.mutants python` or `lua`. Both work on a copy, one mutant at a time, and
resume where they stopped.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks.mutants.lua import Mutant, mutants
from stack.process import ROOT

SCRIPTS = Path("tasks/ledger/scripts")
TESTS = "tests/integration/ledger"
COPY = ROOT / "build/mutants"
WITHIN = 300
"""Seconds for the tests of a mutant; a timeout counts as killed."""


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
def lua(script: str) -> None:
    """Mutate the ledger's scripts, against the tests of the ledger over a real Redis."""
    _copy()
    known = _known()
    for path in sorted((ROOT / SCRIPTS).glob(script)):
        for mutant in mutants(path):
            if mutant.name not in known:
                known[mutant.name] = _fate(mutant, path)
                _results().write_text(json.dumps(known, indent=1))
                click.echo(f"{known[mutant.name]:8} {mutant.name}")
    _tell(known)


def _fate(mutant: Mutant, script: Path) -> str:
    """Whether the tests notice it: ``killed`` or ``lives``."""
    place, text = COPY / SCRIPTS / script.name, script.read_text()
    place.write_text(mutant.applied(text))
    quick = ["-q", "-x", "-m", "not slow", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *quick, TESTS]
    try:
        told = subprocess.run(command, cwd=COPY, capture_output=True, check=False, timeout=WITHIN)
    except subprocess.TimeoutExpired:
        return "killed"
    finally:
        place.write_text(text)
    return "killed" if told.returncode else "lives"


def _copy() -> None:
    """Copy all files that git tracks, with uncommitted changes."""
    listed = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True)
    for name in listed.splitlines():
        (COPY / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, COPY / name)


def _results() -> Path:
    return COPY.with_suffix(".json")


def _known() -> dict[str, str]:
    known: dict[str, str] = json.loads(_results().read_text()) if _results().exists() else {}
    return known


def _tell(known: Mapping[str, str]) -> None:
    for name in sorted(name for name, fate in known.items() if fate == "lives"):
        click.echo(f"lives    {name}")
    counts = Counter(known.values())
    click.echo(f"{counts['killed']} of {len(known)} killed")


if __name__ == "__main__":
    main()
