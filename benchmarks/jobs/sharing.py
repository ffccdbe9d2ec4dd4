"""Concurrent jobs: equal ones end together, and a small one overtakes a large one."""

from benchmarks.harness.bench import Bench
from benchmarks.harness.results import Cell, Check, Part, Table
from benchmarks.jobs.desk import Desk, desk, files, seconds
from benchmarks.jobs.inputs import make_parquet

EQUAL, SMALL, LARGE = 1_000_000, 1_000, 10_000_000
"""Rows of the jobs."""
APART, SHARE = 0.1, 1.0
NOTE = """Two of the same size, one submitted right after the other; then a small one while \
a large one is computed, which is cancelled once the small one is completed. Seconds from \
acceptance to completion; the small one may take as long as the first of the equal ones."""


def run(bench: Bench) -> Part:
    """Measure two equal jobs, then a small one submitted after a large one."""
    equal, small, large = (max(bench.scaled(size), 1000) for size in (EQUAL, SMALL, LARGE))
    with desk(bench) as open_desk:
        first, second = _equals(bench, open_desk, equal)
        passed = _behind(bench, open_desk, small, large)
    rows: list[list[Cell]] = [
        [f"{equal:,} rows", first],
        [f"{equal:,} rows, submitted with it", second],
        [f"{small:,} rows, behind {large:,}", passed],
    ]
    apart = abs(first - second) / max(first, second)
    return Part(
        "sharing",
        [Table("Jobs beside each other", ["", "seconds"], rows, NOTE)],
        [
            Check("two equal jobs: difference over the longer", apart, "at most", APART),
            Check(
                "the small one over the first of the equal ones", passed / first, "at most", SHARE
            ),
        ],
    )


def _equals(bench: Bench, open_desk: Desk, rows: int) -> tuple[float, float]:
    source = make_parquet(files(bench) / f"{rows}.parquet", rows)
    ids = [open_desk.submit(source, source.with_stem(name)) for name in ("first", "second")]
    first, second = (seconds(open_desk.wait(job_id)) for job_id in ids)
    return first, second


def _behind(bench: Bench, open_desk: Desk, small: int, large: int) -> float:
    """Seconds that the small job takes."""
    sources = [make_parquet(files(bench) / f"{n}.parquet", n) for n in (large, small)]
    targets = [source.with_stem(f"{source.stem}-scored") for source in sources]
    ahead = open_desk.submit(sources[0], targets[0])
    open_desk.begun(ahead)  # so that its chunks are on the queue
    passed = seconds(open_desk.wait(open_desk.submit(sources[1], targets[1])))
    open_desk.cancel(ahead)
    return passed
