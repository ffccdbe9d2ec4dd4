"""Memory of a model in a pool of four processes, compared with one copy."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.harness import models
from benchmarks.harness.bench import Bench
from benchmarks.harness.models import MEGABYTE
from benchmarks.harness.results import Cell, Check, Part, Table
from benchmarks.parts.copies.pool import PROCESSES, Growth, Pool

SMALL, LARGE = 1, 500
"""Sizes of models in megabytes."""
COPIES, COPIES_OF_SMALL = 1.6, 2.0
"""Greatest memory of a model, in copies; a pool without sharing takes four. Small models are
shared less: their arrays lie on the same pages as objects whose reference counts change."""
NOTE = f"""Proportional memory (PSS) of the worker and all its {PROCESSES} processes together, MB. \
One copy: the growth of a lone process that loads as many and predicts once. Added while running: \
`predictq models add`, then requests from 32 callers, while all is up. Many small ones are \
versions of one model. From the start: after a new start of the worker. Busy: the processes below \
the worker's own that took CPU meanwhile."""


def run(bench: Bench) -> Part:
    """Measure small models in pools of their own; large ones added later, then from the start."""
    large = max(bench.scaled(LARGE), 2 * SMALL)
    makers = models.heavy_forest, models.heavy_linear
    found = []
    for make in makers:
        with _pool(bench) as pool:
            found.append(pool.with_many(make(bench.directory, SMALL)))
    with _pool(bench) as pool:
        added = [pool.with_one(make(bench.directory, large)) for make in makers]
        found += [*added, pool.with_all(sum(each.copy for each in added))]
    return Part("memory", [_table(pool.empty, found)], _checks(found))


@contextmanager
def _pool(bench: Bench) -> Iterator[Pool]:
    light = models.logistic(bench.directory)
    candidate = bench.predictq(light, workers=PROCESSES)
    with candidate.running() as processes:
        yield Pool(bench, candidate, processes, light)


def _checks(found: list[Growth]) -> list[Check]:
    bounds = [COPIES_OF_SMALL] * 2 + [COPIES] * 3
    checks = [
        Check(f"{each.name}, copies in the pool", each.copies, "at most", bound)
        for each, bound in zip(found, bounds, strict=True)
    ]
    busy = min(each.busy for each in found) / PROCESSES
    return [*checks, Check("processes that computed, of those of the pool", busy, "at least", 1)]


def _table(empty: int, found: list[Growth]) -> Table:
    rows: list[list[Cell]] = [
        [each.name, each.copy / MEGABYTE, each.growth / MEGABYTE, each.copies, each.busy]
        for each in found
    ]
    columns = ["model", "one copy", "growth of the pool", "copies", "busy"]
    note = f"{NOTE} Before any: {empty / MEGABYTE:.0f} MB."
    return Table("Memory of a pool of four", columns, rows, note)
