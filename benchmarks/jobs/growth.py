"""Growth from ten thousand rows to ten million: time must be linear, memory constant."""

from itertools import pairwise

from benchmarks.harness.bench import Bench
from benchmarks.harness.results import Check, Part, Table
from benchmarks.jobs.desk import Desk, desk, files
from benchmarks.jobs.inputs import make_parquet
from benchmarks.jobs.race import COLUMNS, Seen

SIZES = 10_000, 100_000, 1_000_000, 10_000_000
FASTER, LARGER = 0.9, 1.15
NOTE = """Parquet to Parquet, as above, once each for memory and once for time. A small job \
is all beginning and end, and its chunks are small; those of a million rows are as large as they \
get."""


def run(bench: Bench) -> Part:
    """Measure each size."""
    with desk(bench) as open_desk:
        found = [_seen(bench, open_desk, max(bench.scaled(size), 1000)) for size in SIZES]
    checks = [_faster(*pair) for pair in pairwise(found)]
    *others, million, ten = found
    checks += [_no_larger(each, million) for each in (*others, ten)]
    return Part("growth", [Table("Growth", COLUMNS, [each.row() for each in found], NOTE)], checks)


def _faster(fewer: Seen, more: Seen) -> Check:
    """Check that ten times the rows take at most ten times as long."""
    claim = f"rows a second, {more.rows:,} rows over {fewer.rows:,}"
    return Check(claim, more.rates.median / fewer.rates.median, "at least", FASTER)


def _no_larger(each: Seen, million: Seen) -> Check:
    claim = f"memory, {each.rows:,} rows over {million.rows:,}"
    return Check(claim, each.memory / million.memory, "at most", LARGER)


def _seen(bench: Bench, open_desk: Desk, rows: int) -> Seen:
    source = make_parquet(files(bench) / f"{rows}.parquet", rows)
    target = source.with_stem("scored")
    memory = open_desk.memory(source, target)
    return Seen("batch job", rows, [open_desk.score(source, target)], memory)
