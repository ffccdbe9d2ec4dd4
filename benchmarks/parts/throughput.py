"""Throughput at saturation, from submission to stored result: baselines and predictq in turn."""

from collections.abc import Callable

import msgspec

from benchmarks.harness import models
from benchmarks.harness.bench import Bench
from benchmarks.harness.candidates import Candidate
from benchmarks.harness.load import answer
from benchmarks.harness.results import Bar, Cell, Check, Part, Spread, Table
from benchmarks.harness.saturation import saturate, warm

NAIVE, HANDWRITTEN, PREDICTQ, FLOWER = "naive", "hand-written", "predictq", "predictq, with Flower"
PLAIN = "predictq, by scikit-learn"
"""The same stack, which computes the forest without kernels."""
NAIVE_SHARE = 1 / 3
"""Share of the others' submission time, as it accepts several times faster than it computes."""
NOTE = """A closed loop of 32 connections submits, one row a request; the clock stops at the last \
stored result, and every answer is compared with the model's own. Waited for: the rate at which \
32 callers get answers that each wait for their own, looking every 5 ms. Medians of the rounds, \
and their range. Asked again: submissions that were told 503."""


class Round(msgspec.Struct, frozen=True):
    """Predictions per second of one system in one round."""

    stored: float
    waited: float
    accepted: int
    again: int


def run(bench: Bench) -> Part:
    """Run rounds, in each of which every system is started, measured and stopped in turn."""
    systems: dict[str, Callable[[], Candidate]] = {
        NAIVE: bench.naive,
        HANDWRITTEN: bench.handwritten,
        PREDICTQ: bench.predictq,
        PLAIN: lambda: bench.predictq(models.forest_without_kernels(bench.directory)),
        FLOWER: lambda: bench.predictq(flower=True),
    }
    rounds = [
        {name: _round(bench, make()) for name, make in systems.items()} for _ in range(bench.rounds)
    ]
    return _part(list(systems), rounds)


def _round(bench: Bench, candidate: Candidate) -> Round:
    seconds = bench.seconds * (NAIVE_SHARE if candidate.name == NAIVE else 1)
    with candidate.running() as processes:
        warm(candidate, bench.questions)
        found = saturate(candidate, processes, bench.questions, seconds)
        waited = answer(candidate.port, bench.questions.requests(), bench.seconds / 3)
    return Round(found.rate, waited, found.accepted, found.again)


def _part(names: list[str], rounds: list[dict[str, Round]]) -> Part:
    rates = {name: Spread.of(each[name].stored for each in rounds) for name in names}
    to_naive = {name: _ratio(rounds, name, NAIVE) for name in names}
    rows: list[list[Cell]] = [
        [
            name,
            str(rates[name]),
            str(to_naive[name]),
            str(_ratio(rounds, name, HANDWRITTEN)),
            str(Spread.of(each[name].waited for each in rounds)),
            sum(each[name].accepted for each in rounds),
            sum(each[name].again for each in rounds),
        ]
        for name in names
    ]
    by_kernels = _ratio(rounds, PREDICTQ, PLAIN).median
    columns = ["", "predictions/s", "times naive", "times hand-written"]
    return Part(
        "throughput",
        [Table("Throughput", [*columns, "waited for, /s", "verified", "asked again"], rows, NOTE)],
        [
            Check("predictq, times naive", to_naive[PREDICTQ].median, "at least", 15),
            Check(
                "predictq, share of the hand-written loop",
                _ratio(rounds, PREDICTQ, HANDWRITTEN).median,
                "at least",
                0.9,
            ),
            Check("predictq, times by scikit-learn", by_kernels, "at least", 1.15),
            Check("predictq with Flower, times naive", to_naive[FLOWER].median, "at least", 9),
        ],
        bars=[Bar(name, rates[name]) for name in names],
    )


def _ratio(rounds: list[dict[str, Round]], one: str, other: str) -> Spread:
    """Ratios within each round, since the machine's load may differ between rounds."""
    return Spread.of(each[one].stored / each[other].stored for each in rounds)
