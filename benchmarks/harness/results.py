"""The results of a run: tables, checks, and the environment."""

import os
import platform
import re
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec
import psutil

from stack.process import ROOT
from stack.redis import binary as redis_binary

Cell = str | int | float
_PACKAGES = ("celery", "kombu", "redis", "flask", "granian", "gunicorn", "flower", "scikit-learn")


class Table(msgspec.Struct, frozen=True):
    """Rows with a title and a note."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


class Check(msgspec.Struct, frozen=True):
    """A ratio of two figures of the same run, and its bound."""

    claim: str
    ratio: int | float
    must_be: Literal["at least", "at most"]
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the ratio is within the bound."""
        if self.must_be == "at least":
            return self.ratio >= self.bound
        return self.ratio <= self.bound


class Spread(msgspec.Struct, frozen=True):
    """Minimum, median and maximum of some rounds."""

    least: float
    median: float
    greatest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Compute it from one value per round."""
        found = sorted(values)
        return cls(found[0], statistics.median(found), found[-1])

    def __str__(self) -> str:
        """Format all three."""
        return f"{shown(self.median)} ({shown(self.least)} to {shown(self.greatest)})"


class Bar(msgspec.Struct, frozen=True):
    """One system in a plot of rates."""

    name: str
    rates: Spread


class Curve(msgspec.Struct, frozen=True):
    """Percentiles of a system's latencies in milliseconds, by requests per second."""

    name: str
    rates: list[float]
    p50: list[float]
    p99: list[float]


class Part(msgspec.Struct, frozen=True):
    """The results of one part: tables, checks and plots."""

    name: str
    tables: list[Table]
    checks: list[Check] = []
    bars: list[Bar] = []
    curves: list[Curve] = []
    failure: str = ""
    """Why the measurement failed; empty if it did not."""

    @property
    def holds(self) -> bool:
        """Whether the measurement succeeded and every check holds."""
        return not self.failure and all(check.holds for check in self.checks)


class Run(msgspec.Struct, frozen=True):
    """All parts of one run, and its environment."""

    commit: str
    date: str
    machine: str
    load: float
    """Load average of the minute before the start, to show what else ran."""
    versions: dict[str, str]
    seconds: float
    parts: list[Part]
    took: float = 0.0
    """Duration of the run in seconds."""

    @classmethod
    def of(cls, seconds: float, load: float, parts: list[Part], took: float = 0.0) -> "Run":
        """Create a run with the current time and environment."""
        date = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
        return cls(_commit(), date, _machine(), load, _versions(), seconds, parts, took)

    @property
    def holds(self) -> bool:
        """Whether every part holds."""
        return all(part.holds for part in self.parts)


def shown(value: Cell) -> str:
    """Format a number with about three digits."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else value
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def _commit() -> str:
    commit = _git("describe", "--always") or "unknown"
    # Documents and pictures, which an earlier run may have recorded, change nothing measured.
    code = (":!*.md", ":!*.svg")
    is_changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *code)
    return f"{commit}-dirty" if is_changed else commit


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()


def _machine() -> str:
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    cores = len(os.sched_getaffinity(0))
    memory = psutil.virtual_memory().total / 2**30
    name = model[1] if model else platform.machine()
    return f"{cores} cores of {name}, {memory:.0f} GB, {platform.system()} {platform.release()}"


def _versions() -> dict[str, str]:
    server = redis_binary.version(redis_binary.version_output(redis_binary.find_binary()))
    return {
        "python": platform.python_version(),
        "redis-server": server,
        **{name: version(name) for name in _PACKAGES},
    }
