"""The `test` command: runs everything that CI checks."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import click

from cli.failure import Failure

ROOT = Path(__file__).resolve().parent.parent
SLOWEST_SHOWN = 20
"""How many of the slowest tests to list at the end."""
MEMORY = Path("/dev/shm")  # noqa: S108 - a directory with a random name is made in it
"""A file system in memory, where it has one."""
BYTES_FOR_TESTS = 4 << 30
"""Bytes that all tests together may need; they take less than half of it."""
BESIDE_TESTS = "mypy"
"""The check that runs beside those after it. It takes one core, and tests begin with one, too."""


class Result(NamedTuple):
    """The result of a step."""

    name: str
    passed: bool
    seconds: float


def steps(slow: bool, expression: str | None, homes: Path) -> Iterator[tuple[str, list[str]]]:
    """Name and command of each check. The tests keep their files in the directory ``homes``."""
    python = sys.executable
    yield "ruff check", [python, "-m", "ruff", "check"]
    yield "ruff format", [python, "-m", "ruff", "format", "--check"]
    yield "mypy", [python, "-m", "mypy"]
    yield "lint-imports", [str(Path(python).with_name("lint-imports"))]
    pytest = ["pytest", "--basetemp", str(homes / "pytest")]
    if expression:
        selected = [] if slow else ["-m", "not slow"]
        yield "pytest", [python, "-m", *pytest, *selected, "-k", expression]
    else:
        yield from _all_tests(slow, [python, "-m"], [*pytest, *_in_parallel()])


def _all_tests(slow: bool, run: list[str], pytest: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Commands for all tests. `tests/conftest.py` keeps slow tests out of the coverage."""
    if not slow:
        yield "pytest", [*run, *pytest, "-m", "not slow"]
        return
    everything = [*pytest, "-m", "not exhaustive"]
    yield "pytest", [*run, "coverage", "run", "-m", *everything]
    yield "coverage combine", [*run, "coverage", "combine", "--quiet"]
    yield "coverage", [*run, "coverage", "report"]


def _in_parallel() -> list[str]:
    """Options for pytest-xdist: more processes than cores, because many tests wait a lot."""
    processes = len(os.sched_getaffinity(0)) + 3
    spread = ["--dist", "loadgroup", "--no-loadscope-reorder"]  # tests/conftest.py sets the order
    again = ["--reruns", "1"]  # reruns are listed at the end (decision 0037)
    return ["-n", str(processes), *spread, *again, "--durations", str(SLOWEST_SHOWN)]


@contextmanager
def directory_for_tests() -> Iterator[Path]:
    """Make a directory, in memory if possible, and remove it at the end.

    On a busy disk an fsync can take seconds, and Redis answers nothing meanwhile.
    """
    with tempfile.TemporaryDirectory(dir=MEMORY if _is_suitable(MEMORY) else None) as directory:
        yield Path(directory)


def _is_suitable(file_system: Path) -> bool:
    """Whether programs can run there, and `BYTES_FOR_TESTS` are free."""
    if not os.access(file_system, os.W_OK):
        return False
    may_execute = not os.statvfs(file_system).f_flag & os.ST_NOEXEC
    return may_execute and shutil.disk_usage(file_system).free >= BYTES_FOR_TESTS


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
    with directory_for_tests() as homes:
        results = run_all(steps(slow, expression, homes))
    click.echo()
    for name, passed, seconds in results:
        click.echo(f"{'passed' if passed else 'FAILED'}  {name:<16} {seconds:6.1f} s")
    sys.exit(not all(passed for _, passed, _ in results))
