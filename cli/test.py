"""The `test` command: runs everything that CI checks."""

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
SLOWEST_SHOWN = 20
"""How many of the slowest tests to list at the end."""


def steps(slow: bool, expression: str | None) -> Iterator[tuple[str, list[str]]]:
    """Name and command of each check."""
    python = sys.executable
    yield "ruff check", [python, "-m", "ruff", "check"]
    yield "ruff format", [python, "-m", "ruff", "format", "--check"]
    yield "mypy", [python, "-m", "mypy"]
    yield "lint-imports", [str(Path(python).with_name("lint-imports"))]
    if expression:
        selected = [] if slow else ["-m", "not slow"]
        yield "pytest", [python, "-m", "pytest", *selected, "-k", expression]
    else:
        yield from _all_tests(slow, [python, "-m"])


def _all_tests(slow: bool, run: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Commands for all tests. `tests/conftest.py` keeps slow tests out of the coverage."""
    if not slow:
        yield "pytest", [*run, "pytest", "-m", "not slow", *_in_parallel()]
        return
    everything = ["pytest", "-m", "not exhaustive", *_in_parallel()]
    yield "pytest", [*run, "coverage", "run", "-m", *everything]
    yield "coverage combine", [*run, "coverage", "combine", "--quiet"]
    yield "coverage", [*run, "coverage", "report"]


def _in_parallel() -> list[str]:
    """Options for pytest-xdist: one process more than cores, because some tests only wait."""
    processes = len(os.sched_getaffinity(0)) + 1
    spread = ["--dist", "loadgroup", "--no-loadscope-reorder"]  # tests/conftest.py sets the order
    again = ["--reruns", "1"]  # reruns are listed at the end (decision 0037)
    return ["-n", str(processes), *spread, *again, "--durations", str(SLOWEST_SHOWN)]


def timed(name: str, command: list[str]) -> tuple[str, bool, float]:
    """Run one step under a heading; returns its name, whether it passed, and its seconds."""
    click.echo(f"== {name}")
    start = time.monotonic()
    passed = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    return name, passed, time.monotonic() - start


@click.command("test")
@click.option(
    "--slow",
    is_flag=True,
    default=os.environ.get("CI") == "true",
    help="Also run slow tests, and measure the coverage of the others.",
)
@click.option("-k", "expression", help="Only tests that match this expression, as in pytest.")
def run_checks(slow: bool, expression: str | None) -> None:
    """Run every check: lint, format, types, import rules, tests."""
    if find_spec("pytest") is None:
        raise Failure("this environment has no tools for development: use ./run test in a clone")
    results = [timed(name, command) for name, command in steps(slow, expression)]
    click.echo()
    for name, passed, seconds in results:
        click.echo(f"{'passed' if passed else 'FAILED'}  {name:<16} {seconds:6.1f} s")
    sys.exit(not all(passed for _, passed, _ in results))
