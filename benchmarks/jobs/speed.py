"""Parquet to Parquet: speed and peak memory of a batch job."""

import pyarrow.parquet as pq

from benchmarks.harness.bench import Bench
from benchmarks.harness.models import FEATURES
from benchmarks.harness.results import Check, Part, Table
from benchmarks.jobs.desk import desk, files
from benchmarks.jobs.inputs import make_parquet
from benchmarks.jobs.race import COLUMNS, over_best, race
from benchmarks.jobs.scripts import PARQUET

SIZES = {1_000_000: 1.3, 3_000_000: 1.5}
"""Rows of a file → least speed of a job, times that of the best script."""
MEMORY = 1_200_000_000
"""Limit of the peak memory in bytes."""
NOTE = f"""Parquet to Parquet, {FEATURES} columns of random doubles, forest of 100 trees, input by \
reference; two processes. A job counts from its acceptance to its completion, a script without \
its imports and without loading the model. Rows a second: median (least to greatest) of rounds in \
turn. Memory: greatest sum of PSS of all processes, Redis and API included, in runs before and \
after, MB."""


def run(bench: Bench) -> Part:
    """Measure each size; the outputs must be equal."""
    found = []
    checks: list[Check] = []
    with desk(bench) as open_desk:
        for size, least in SIZES.items():
            rows = max(bench.scaled(size), 1000)
            source = make_parquet(files(bench) / f"{rows}.parquet", rows)
            seen = race(bench, open_desk, source, rows, PARQUET, _same)
            memory = seen[-1].memory / MEMORY
            checks.append(over_best(seen, f"{rows:,} rows", least))
            checks.append(Check(f"{rows:,} rows: memory over the bound", memory, "at most", 1.0))
            found += seen
    rows_of_table = [each.row() for each in found]
    return Part("speed", [Table("Batch jobs", COLUMNS, rows_of_table, NOTE)], checks)


def _same(plain: object, target: object) -> bool:
    return bool(pq.read_table(plain).equals(pq.read_table(target)))
