"""The benchmarks run from end to end, report results, and leave no files or processes behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from benchmarks.harness import plots, report
from benchmarks.harness.results import Bar, Check, Curve, Part, Run, Spread, Table
from stack.process import ROOT

SHORT = "0.05"
PARTS = (
    "throughput",
    "latency",
    "batches",
    "backlog",
    "costs",
    "hundreds",
    "waiting",
    "arrow",
    "beside",
)
JOB_PARTS = {
    "formats": "ndjson, batch job",
    "speed": "| batch job |",
    "company": "| beside a job |",
    "growth": "| batch job |",
    "sharing": "submitted with it",
}
"""And what each tells of."""


def by_command(part: str) -> Any:
    """Mark a part as exhaustive: it takes a minute and starts up to four systems."""
    return pytest.param(part, marks=pytest.mark.exhaustive)


RUN = Run(
    "abc1234",
    "2026-01-02 03:04",
    "2 cores",
    0.1,
    {"python": "3.11"},
    3.0,
    [
        Part(
            "throughput",
            [Table("Throughput", ["", "predictions/s"], [["naive", 197.4], ["predictq", 3100]])],
            [Check("predictq, times naive", 15.7, "at least", 12)],
            bars=[Bar("naive", Spread(124, 197, 234)), Bar("predictq", Spread(2900, 3100, 3400))],
        ),
        Part("latency", [], curves=[Curve("predictq", [10, 100], [5.0, 6.0], [7.0, 9.0])]),
    ],
)


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment that marks the files and processes of the run."""
    yield {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT / "client")}
    assert [process for process in psutil.process_iter() if str(tmp_path) in _told(process)] == []
    assert list(tmp_path.glob("predictq-benchmarks-*")) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", [by_command(part) for part in PARTS])
def test_benchmark_part_runs(part: str, ours: dict[str, str]) -> None:
    done = _run("benchmarks", part, ours)
    assert done.returncode in (0, 1), done.stderr  # a run this short proves no ratio
    assert "FAILED" not in done.stdout, done.stdout + done.stderr
    assert "| required | ratio | must be | holds |" in done.stdout
    assert ("NO |" in done.stdout) == (done.returncode == 1)


@pytest.mark.slow
@pytest.mark.parametrize("part", [by_command("memory"), by_command("models")])
def test_benchmark_part_with_heavy_models_runs(part: str, ours: dict[str, str]) -> None:
    done = _run("benchmarks", part, ours)
    assert "FAILED" not in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("part", [by_command(part) for part in JOB_PARTS])
def test_benchmark_part_about_batch_jobs_runs(part: str, ours: dict[str, str]) -> None:
    done = _run("benchmarks.jobs", part, ours)
    assert "FAILED" not in done.stdout, done.stdout + done.stderr
    assert JOB_PARTS[part] in done.stdout


def test_benchmark_ratio_decides() -> None:
    assert Check("", 12.0, "at least", 12).holds
    assert not Check("", 11.9, "at least", 12).holds
    assert Check("", 1.1, "at most", 1.1).holds
    assert not Check("", 1.2, "at most", 1.1).holds


def test_benchmark_part_that_fails_fails_the_run() -> None:
    failed = msgspec.structs.replace(RUN, parts=[*RUN.parts, Part("x", [], failure="no answer")])
    assert RUN.holds
    assert not failed.holds
    assert "x FAILED: no answer" in report.text(failed)


def test_benchmark_results_are_read_back_as_recorded(tmp_path: Path) -> None:
    report.record(RUN, tmp_path)
    assert report.text(report.latest(tmp_path)) == report.text(RUN)
    assert "| predictq | 3,100 |" in report.text(RUN)


@pytest.mark.parametrize("suite", [report.HERE, report.HERE / "jobs"])
def test_benchmark_readme_shows_the_latest_run(suite: Path) -> None:
    latest, page = report.latest(suite), suite / report.PAGE
    assert latest is None or page.read_text() == report.page(latest, page)


def test_benchmark_plots_are_deterministic(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in plots.draw(RUN, tmp_path)]
    assert [path.read_bytes() for path in plots.draw(RUN, tmp_path)] == first
    assert len(first) == 2


def _run(suite: str, part: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", suite, part, "--seconds", SHORT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )


def _told(process: psutil.Process) -> str:
    """Command line and environment of a process; Redis overwrites its environment."""
    try:
        return " ".join([*process.cmdline(), *process.environ().values()])
    except psutil.Error:
        return ""
