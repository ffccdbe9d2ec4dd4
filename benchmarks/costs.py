"""CPU for one prediction: what the HTTP server, the worker and Redis take beside the model."""

import time
from collections.abc import Iterable
from functools import cache

import msgspec
import numpy as np

from benchmarks.bench import Bench
from benchmarks.candidates import Candidate
from benchmarks.models import FEATURES, Model
from benchmarks.results import Check, Part, Table
from benchmarks.saturation import Saturated, saturate, warm

TARGETS = "The targets, in the unit of the machine they were set on, and not asserted: worker \
outside the model 150 µs, HTTP server 350 µs."
NOTE = f"""µs of CPU for one prediction at saturation, all processes of a kind together. The \
model's own: calls of the same batch sizes, made by this process alone, which is less than the \
same calls take on busy cores; so what is left for the worker is an upper bound. {TARGETS}"""
CALLS = 20


class Cost(msgspec.Struct, frozen=True):
    """Seconds of CPU for one prediction."""

    api: float
    worker: float
    model: float
    redis: float

    @property
    def outside(self) -> float:
        """What the worker takes beside the model."""
        return self.worker - self.model

    @classmethod
    def of(cls, found: Saturated, model: Model) -> "Cost":
        """Each batch is as many calls as its predictions are parts of it."""
        count = found.accepted
        return cls(
            found.api_cpu / count,
            found.cpu["worker"] / count,
            sum(alone(model, size) / size for size in batch_sizes(found)) / count,
            found.cpu["redis"] / count,
        )


def run(bench: Bench) -> Part:
    """The naive design and predictq, one after the other."""
    costs = {
        candidate.name: Cost.of(_saturated(bench, candidate, share), bench.forest)
        for candidate, share in ((bench.naive(), 0.5), (bench.predictq(), 1.0))
    }
    naive, ours = costs.values()
    return Part(
        "costs",
        [_table(costs)],
        [
            Check(
                "worker outside the model, over naive's",
                ours.outside / naive.outside,
                "at most",
                0.15,
            ),
            Check("HTTP server, over naive's", ours.api / naive.api, "at most", 0.5),
        ],
    )


def batch_sizes(found: Saturated) -> Iterable[int]:
    """Of the batch of each prediction, in rows; a system without receipts makes no batches."""
    for outcome in found.outcomes:
        yield outcome.receipt.batch_size if outcome.receipt else 1


@cache
def alone(model: Model, rows: int) -> float:
    """Seconds of CPU that one call takes by itself."""
    asked = np.zeros((rows, FEATURES))
    model.estimator.predict(asked)
    started = time.process_time()
    for _ in range(CALLS):
        model.estimator.predict(asked)
    return (time.process_time() - started) / CALLS


def _saturated(bench: Bench, candidate: Candidate, share: float) -> Saturated:
    with candidate.running() as processes:
        warm(candidate, bench.questions)
        return saturate(candidate, processes, bench.questions, bench.seconds * share)


def _table(costs: dict[str, Cost]) -> Table:
    parts = ("api", "worker", "model", "outside", "redis")
    columns = ["", "HTTP server", "worker", "the model's own", "worker outside it", "Redis"]
    rows = [
        [name, *(round(1e6 * getattr(cost, part)) for part in parts)]
        for name, cost in costs.items()
    ]
    return Table("CPU for one prediction", columns, rows, NOTE)
