"""Sizes of microbatches, from single requests to saturation."""

from benchmarks.harness.bench import Bench
from benchmarks.harness.candidates import Candidate
from benchmarks.harness.load import collect, submit_at
from benchmarks.harness.results import Cell, Check, Part, Table, percentile
from benchmarks.harness.saturation import Outcome, Receipt, compared, saturate, warm

RATES = (10, 100, 1000)
BOUNDS = (1, 2, 4, 8, 16, 32, 64)
"""Least size of each column; the last column is open."""
NOTE = """Share of the batches by their size in rows, from the receipts; each is counted once. \
Queued: from acceptance to the start of the computation. No request is held back for others to \
come, so one that is alone is queued for no longer than those of a busy stack."""


def run(bench: Bench) -> Part:
    """Measure at fixed rates, and at saturation."""
    candidate = bench.predictq()
    with candidate.running() as processes:
        warm(candidate, bench.questions)
        found = {f"{rate:,}/s": _at(bench, candidate, rate) for rate in RATES}
        saturated = saturate(candidate, processes, bench.questions, bench.seconds)
    found["saturated"] = receipts(saturated.outcomes)
    alone, many = (_median_queued(found[f"{rate:,}/s"]) for rate in (RATES[0], RATES[-1]))
    check = Check("median time queued, at 10/s over 1,000/s", alone / many, "at most", 1.5)
    return Part("batches", [_table(found)], [check])


def receipts(outcomes: list[Outcome]) -> list[Receipt]:
    """The receipt of each prediction."""
    return [outcome.receipt for outcome in outcomes if outcome.receipt]


def _median_queued(found: list[Receipt]) -> float:
    return percentile([each.queue_ms for each in found], 0.5)


def _at(bench: Bench, candidate: Candidate, rate: int) -> list[Receipt]:
    requests = bench.questions.requests()
    accepted = submit_at(candidate.port, requests, rate, bench.seconds)
    bodies = collect(candidate.port, accepted.ids).bodies
    return receipts(compared(accepted, bodies, bench.questions))


def _table(found: dict[str, list[Receipt]]) -> Table:
    upper = [bound - 1 for bound in BOUNDS[1:]]
    names = [f"{a}" if a == b else f"{a}-{b}" for a, b in zip(BOUNDS, upper, strict=False)]
    columns = ["", *names, f"{BOUNDS[-1]}+", "mean", "greatest", "queued, p50 ms"]
    rows = [_row(name, each) for name, each in found.items()]
    return Table("Batch sizes", columns, rows, NOTE)


def _row(name: str, found: list[Receipt]) -> list[Cell]:
    # Every request of a microbatch of n one-row requests counts as 1/n microbatch.
    batches = sum(1 / each.batch_size for each in found)
    shares = dict.fromkeys(BOUNDS, 0.0)
    for each in found:
        column = max(bound for bound in BOUNDS if bound <= each.batch_size)
        shares[column] += 1 / each.batch_size / batches
    return [
        name,
        *(f"{shares[bound]:.0%}" for bound in BOUNDS),
        len(found) / batches,
        max(each.batch_size for each in found),
        _median_queued(found),
    ]
