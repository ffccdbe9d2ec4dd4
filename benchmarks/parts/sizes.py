"""Requests of 1 to 1,000 rows, to models that take 0.25 to 200 ms per call."""

from benchmarks.harness import models
from benchmarks.harness.bench import Bench
from benchmarks.harness.candidates import Candidate
from benchmarks.harness.models import Model
from benchmarks.harness.processes import Processes
from benchmarks.harness.results import Cell, Part, Table
from benchmarks.harness.saturation import saturate

ROWS = {1: 32, 10: 8, 100: 3, 1000: 1}
"""Rows per request → requests likely to share a call, which bounds how many are submitted."""
LEAST = 32
LONE = 3
"""Requests sent one by one first, to measure a call."""
SHARE = 0.4
"""Share of a measurement's normal length, as there are twelve measurements."""
NOTE = """In the model: time in the model's own method, summed over batches, over the time from \
the first submission to the last stored result; two processes together can reach 200%."""


def run(bench: Bench) -> Part:
    """Measure each model with each number of rows, in a closed loop of 32 connections."""
    held = [make(bench.directory) for make in (models.logistic, models.forest, models.slow)]
    candidate = bench.predictq(*held)
    with candidate.running() as processes:
        rows = [_row(bench, candidate, processes, model, rows) for model in held for rows in ROWS]
    columns = ["model", "rows a request", "one call, ms", "predictions/s", "rows/s"]
    columns += ["rows a batch", "in the model"]
    return Part("models", [Table("Models and rows", columns, rows, NOTE)])


def _row(
    bench: Bench, candidate: Candidate, processes: Processes, model: Model, rows: int
) -> list[Cell]:
    questions = model.questions(rows, count=LEAST)
    lone = [saturate(candidate, processes, questions, 0, most=1) for _ in range(LONE)]
    call = min(each.outcomes[0].receipt.compute_ms for each in lone if each.outcomes[0].receipt)
    seconds = bench.seconds * SHARE
    most = max(LEAST, round(1000 * seconds / call * ROWS[rows] * 2))
    found = saturate(candidate, processes, questions, seconds, most)
    receipts = [outcome.receipt for outcome in found.outcomes if outcome.receipt]
    # Every request counts as its share of its microbatch.
    batches = sum(rows / receipt.batch_size for receipt in receipts)
    share = sum(outcome.model_seconds for outcome in found.outcomes) / found.seconds
    batch = rows * found.accepted / batches
    return [model.name, rows, call, found.rate, found.rate * rows, batch, f"{share:.0%}"]
