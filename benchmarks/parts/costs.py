"""CPU per prediction: of HTTP server, worker and Redis, without the model."""

import time
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
import numpy as np

from benchmarks.harness import models
from benchmarks.harness.bench import Bench
from benchmarks.harness.candidates import Candidate
from benchmarks.harness.models import FEATURES, Model
from benchmarks.harness.results import Check, Part, Table
from benchmarks.harness.saturation import Saturated, saturate, warm

NOTE = """µs of CPU for one prediction at saturation, all processes of a kind together. The \
model's own: calls of the same batch sizes, made by this process alone and at its best, which is \
less than they take on busy cores; so what is left for the worker is an upper bound. The naive \
design is asked for the quick model only, as beside the forest its own share is lost in noise; it \
is the same for every model. Targets, in the unit of the machine that they were set on and not \
asserted: worker outside the model 150, HTTP server 350."""
CALLS, TRIALS = 20, 5
STEP = 8
"""Rows between timed sizes; sizes between them count as the next smaller, which costs no more."""


class Cost(msgspec.Struct, frozen=True):
    """CPU seconds per prediction."""

    api: float
    worker: float
    model: float
    redis: float

    @property
    def outside(self) -> float:
        """CPU of the worker without the model."""
        return self.worker - self.model

    @classmethod
    def of(cls, found: Saturated, model: Model) -> "Cost":
        """Compute the costs; each prediction counts as its share of its microbatch's call."""
        count = found.accepted
        return cls(
            found.api_cpu / count,
            found.cpu["worker"] / count,
            sum(alone(model, _stepped(size)) / size for size in batch_sizes(found)) / count,
            found.cpu["redis"] / count,
        )


def run(bench: Bench) -> Part:
    """Measure the naive design, then predictq."""
    quick = models.logistic(bench.directory)
    measured = [
        (bench.naive(quick), quick, 0.25),  # it accepts faster than it computes
        (bench.predictq(quick), quick, 0.5),
        (bench.predictq(), bench.forest, 0.5),
    ]
    costs = {
        f"{candidate.name}, {model.name}": _cost(bench, candidate, model, share)
        for candidate, model, share in measured
    }
    naive, _, ours = costs.values()
    outside, api = ours.outside / naive.outside, ours.api / naive.api
    checks = [
        Check("worker outside the model, over naive's", outside, "at most", 0.15),
        Check("HTTP server, over naive's", api, "at most", 0.5),
    ]
    return Part("costs", [_table(costs)], checks)


def batch_sizes(found: Saturated) -> Iterable[int]:
    """Rows in the microbatch of each prediction; 1 for a system without receipts."""
    for outcome in found.outcomes:
        yield outcome.receipt.batch_size if outcome.receipt else 1


def _stepped(size: int) -> int:
    return size // STEP * STEP or size


@cache
def alone(model: Model, rows: int) -> float:
    """CPU seconds of one model call."""
    asked = np.zeros((rows, FEATURES))
    return min(_calls(model, asked) for _ in range(TRIALS)) / CALLS


def _calls(model: Model, asked: Any) -> float:
    started = time.process_time()
    for _ in range(CALLS):
        model.estimator.predict(asked)
    return time.process_time() - started


def _cost(bench: Bench, candidate: Candidate, model: Model, share: float) -> Cost:
    questions = model.questions()
    with candidate.running() as processes:
        warm(candidate, questions)
        found = saturate(candidate, processes, questions, bench.seconds * share)
    return Cost.of(found, model)


def _table(costs: dict[str, Cost]) -> Table:
    parts = ("api", "worker", "model", "outside", "redis")
    columns = ["", "HTTP server", "worker", "the model's own", "worker outside it", "Redis"]
    rows = [
        [name, *(round(1e6 * getattr(cost, part)) for part in parts)]
        for name, cost in costs.items()
    ]
    return Table("CPU for one prediction", columns, rows, NOTE)
