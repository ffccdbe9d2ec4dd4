"""CSV and NDJSON: jobs compared with scripts that read files the way our workers do."""

from pathlib import Path

from benchmarks.harness.bench import Bench
from benchmarks.harness.results import Check, Part, Table
from benchmarks.jobs.desk import desk, files
from benchmarks.jobs.inputs import MAKERS
from benchmarks.jobs.race import COLUMNS, over_best, race
from benchmarks.jobs.scripts import TEXTS

ROWS = 500_000
SHARE = 0.8
"""Least speed of a job, as a share of the best script's."""
NOTE = """To the same format. The scripts read as workers do: CSV by pyarrow, NDJSON by msgspec, \
each row an object."""


def run(bench: Bench) -> Part:
    """Measure each format; the outputs must be identical, byte by byte."""
    rows, found = max(bench.scaled(ROWS), 1000), []
    checks: list[Check] = []
    with desk(bench) as open_desk:
        for name, scripts in TEXTS.items():
            source = MAKERS[name](files(bench) / f"{rows}.{name}", rows)
            seen = race(bench, open_desk, source, rows, scripts, _same)
            checks.append(over_best(seen, f"{name}, {rows:,} rows", SHARE))
            for each in seen:
                each.name = f"{name}, {each.name}"
            found += seen
    table = Table("Texts", COLUMNS, [each.row() for each in found], NOTE)
    return Part("formats", [table], checks)


def _same(plain: Path, target: Path) -> bool:
    return plain.read_bytes() == target.read_bytes()
