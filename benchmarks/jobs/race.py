"""Runs scripts and a batch job over the same file in turn; their outputs must be equal."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from benchmarks.harness.bench import Bench
from benchmarks.harness.models import MEGABYTE
from benchmarks.harness.results import Cell, Check, Spread
from benchmarks.harness.wire import LoadFailed
from benchmarks.jobs.desk import Desk

Script = Callable[[Path, Path, Path], float]
"""Takes the paths of model, input and output; returns the seconds that scoring took."""
Same = Callable[[Path, Path], bool]


class Seen(msgspec.Struct):
    """Measurements of one script or of the job."""

    name: str
    rows: int
    seconds: list[float] = []
    memory: int = 0

    @property
    def rates(self) -> Spread:
        """Rows per second."""
        return Spread.of(self.rows / seconds for seconds in self.seconds)

    def row(self) -> list[Cell]:
        """A row of the table."""
        memory = self.memory / MEGABYTE if self.memory else "-"
        return [self.name, self.rows, str(self.rates), memory]


COLUMNS = ["", "rows", "rows a second", "memory"]


def race(
    bench: Bench, desk: Desk, source: Path, rows: int, scripts: Mapping[str, Script], same: Same
) -> list[Seen]:
    """Measure each script, and the job last."""
    target = source.with_stem("job")
    plain = [source.with_stem(f"plain-{number}") for number in range(len(scripts))]
    found = [Seen(name, rows) for name in scripts]
    job = Seen("batch job", rows)
    memory = desk.memory(source, target)
    for _ in range(bench.rounds):
        for script, output, seen in zip(scripts.values(), plain, found, strict=True):
            seen.seconds.append(script(bench.forest.path, source, output))
        job.seconds.append(desk.score(source, target))
        if not all(same(output, target) for output in plain):
            raise LoadFailed("the job's output is not the scripts'")
    job.memory = max(memory, desk.memory(source, target))
    return [*found, job]


def over_best(found: Iterable[Seen], claim: str, share: float) -> Check:
    """A check of the job's speed divided by that of the best script."""
    *scripts, job = found
    best = max(script.rates.median for script in scripts)
    return Check(f"{claim}: job over best script", job.rates.median / best, "at least", share)
