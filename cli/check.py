"""The `test` command: everything that CI checks, in one run."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click

from cli.failure import Failure

ROOT = Path(__file__).resolve().parent.parent
SHOWN = 20
"""The slowest tests that are told at the end."""


def steps(slow: bool, expression: str | None, coverage: bool) -> Iterator[tuple[str, list[str]]]:
    """Name and command of each check."""
    python = sys.executable
    yield "ruff check", [python, "-m", "ruff", "check"]
    yield "ruff format", [python, "-m", "ruff", "format", "--check"]
    yield "mypy", [python, "-m", "mypy"]
    yield "lint-imports", [str(Path(python).with_name("lint-imports"))]
    measured = ["-m", "coverage", "run"] if coverage else []
    selected = [] if slow else ["-m", "not slow"]
    chosen = ["-k", expression] if expression else _in_parallel()
    yield "pytest", [python, *measured, "-m", "pytest", *selected, *chosen]
    if coverage:
        yield "coverage combine", [python, "-m", "coverage", "combine", "--quiet"]
        yield "coverage", [python, "-m", "coverage", "report"]


def _in_parallel() -> list[str]:
    """Options of pytest: tests wait half of their time, so there is one process more than cores."""
    processes = len(os.sched_getaffinity(0)) + 1
    spread = ["--dist", "loadgroup", "--no-loadscope-reorder"]  # the order is of tests/conftest.py
    return ["-n", str(processes), *spread, "--durations", str(SHOWN)]


def timed(name: str, command: list[str]) -> tuple[str, bool, float]:
    """Run one step under its heading; gives its name, whether it passed, and seconds."""
    click.echo(f"== {name}")
    start = time.monotonic()
    passed = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    return name, passed, time.monotonic() - start


@click.command("test")
@click.option(
    "--slow",
    is_flag=True,
    default=os.environ.get("CI") == "true",
    help="Slow tests too, and how much of the code all of them reach.",
)
@click.option("-k", "expression", help="Only the tests that match, as pytest's -k.")
def check(slow: bool, expression: str | None) -> None:
    """Run every check: lint, format, types, import rules, tests."""
    if find_spec("pytest") is None:
        raise Failure("this environment has no tools for development: use ./run test in a clone")
    measured = slow and expression is None
    results = [timed(name, command) for name, command in steps(slow, expression, measured)]
    click.echo()
    for name, passed, seconds in results:
        click.echo(f"{'passed' if passed else 'FAILED'}  {name:<16} {seconds:6.1f} s")
    sys.exit(not all(passed for _, passed, _ in results))
