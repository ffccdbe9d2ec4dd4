"""The `test` command: runs everything that CI checks."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import click

from cli.failure import Failure

ROOT = Path(__file__).resolve().parent.parent
SLOWEST_SHOWN = 20
"""How many of the slowest tests to list at the end."""
BESIDE_TESTS = "mypy"
"""The check that runs beside those after it. It takes one core, and tests begin with one, too."""


class Result(NamedTuple):
    """What came of a step."""

    name: str
    passed: bool
    seconds: float


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
    """Options for pytest-xdist: more processes than cores, because many tests wait a lot."""
    processes = len(os.sched_getaffinity(0)) + 3
    spread = ["--dist", "loadgroup", "--no-loadscope-reorder"]  # tests/conftest.py sets the order
    again = ["--reruns", "1"]  # reruns are listed at the end (decision 0037)
    return ["-n", str(processes), *spread, *again, "--durations", str(SLOWEST_SHOWN)]


def run_all(checks: Iterable[tuple[str, list[str]]]) -> list[Result]:
    """Run steps one after the other, but one of them beside those after it."""
    with ThreadPoolExecutor(1) as beside:
        running = [
            beside.submit(run_beside, *check) if check[0] == BESIDE_TESTS else run_step(*check)
            for check in checks
        ]
        return [each if isinstance(each, Result) else each.result() for each in running]


def run_step(name: str, command: list[str]) -> Result:
    """Run one step under a heading."""
    click.echo(f"== {name}")
    start = time.monotonic()
    ended = subprocess.run(command, cwd=ROOT, check=False)
    return Result(name, ended.returncode == 0, time.monotonic() - start)


def run_beside(name: str, command: list[str]) -> Result:
    """Run one step, and print its heading and its output once it has ended."""
    start = time.monotonic()
    ended = subprocess.run(
        command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    click.echo(f"\n== {name}\n{ended.stdout}", nl=False)
    return Result(name, ended.returncode == 0, time.monotonic() - start)


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
    results = run_all(steps(slow, expression))
    click.echo()
    for name, passed, seconds in results:
        click.echo(f"{'passed' if passed else 'FAILED'}  {name:<16} {seconds:6.1f} s")
    sys.exit(not all(passed for _, passed, _ in results))
