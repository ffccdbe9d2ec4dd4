"""From ten thousand rows to ten million: time in proportion, memory the same."""

from benchmarks.bench import Bench
from benchmarks.jobs.desk import Desk, desk, files
from benchmarks.jobs.inputs import make_parquet
from benchmarks.jobs.race import COLUMNS, Seen
from benchmarks.jobs.watching import Memory
from benchmarks.results import Check, Part, Table

SIZES = 10_000, 100_000, 1_000_000, 10_000_000
FASTER, LARGER = 0.9, 1.15
NOTE = """Parquet to Parquet, as above, once each. A small job is all beginning and end."""


def run(bench: Bench) -> Part:
    """Each size in turn."""
    with desk(bench) as open_desk:
        found = [_seen(bench, open_desk, max(bench.scaled(size), 1000)) for size in SIZES]
    *_, million, ten = found
    speed = ten.rates.median / million.rates.median
    memory = ten.memory / million.memory
    claim = "ten times a million rows over a million"
    return Part(
        "growth",
        [Table("Growth", COLUMNS, [each.row() for each in found], NOTE)],
        [
            Check(f"rows a second, {claim}", speed, "at least", FASTER),
            Check(f"memory, {claim}", memory, "at most", LARGER),
        ],
    )


def _seen(bench: Bench, open_desk: Desk, rows: int) -> Seen:
    source = make_parquet(files(bench) / f"{rows}.parquet", rows)
    with Memory(open_desk.processes) as memory:
        taken = open_desk.score(source, source.with_stem("scored"))
    return Seen("batch job", rows, [taken], memory.greatest)
