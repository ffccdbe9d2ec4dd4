"""A slope counts as growth despite noise; a step during the warm-up does not."""

import random
from collections.abc import Callable

import pytest

from benchmarks.soak.judging import MEBIBYTE, Trend, checks, trends
from benchmarks.soak.sampling import Sample

MINUTES = 10.0


def judged(
    pss: Callable[[float], float],
    descriptors: Callable[[float], float] = lambda _: 20,
    threads: Callable[[float], float] = lambda _: 4,
    until: float = MINUTES,
) -> list[Trend]:
    """The trend of one process with these samples, one every five seconds."""
    noise = random.Random(1)
    samples = [
        Sample(
            60 * minute,
            int((pss(minute) + noise.gauss(0, 1)) * MEBIBYTE),
            round(descriptors(minute)),
            round(threads(minute)),
        )
        for minute in (number / 12 for number in range(int(12 * until)))
    ]
    return trends({("api", 7): samples}, 60 * MINUTES)


def fails(found: list[Trend]) -> list[str]:
    return [check.claim.split()[2].rstrip(",") for check in checks(found) if not check.holds]


@pytest.mark.parametrize(
    "pss",
    [
        lambda _: 70,
        lambda minute: 70 if minute > 2 else 30,
        lambda minute: 70 - minute,
        lambda minute: 70 + 0.5 * minute,
        lambda minute: 400 + 4 * minute,
    ],
    ids=["noise", "warm-up", "falling", "slow", "a share"],
)
def test_memory_that_does_not_grow_passes(pss: Callable[[float], float]) -> None:
    assert fails(judged(pss)) == []


@pytest.mark.parametrize(
    ("pss", "slope"),
    [(lambda minute: 70 + 2 * minute, 2), (lambda minute: 73 + 55 * minute, 55)],
    ids=["leak", "Flower without a bound"],
)
def test_memory_that_grows_fails_by_its_slope(pss: Callable[[float], float], slope: float) -> None:
    found = judged(pss)
    assert fails(found) == ["memory"]
    assert found[0].slopes[0] == pytest.approx(slope, rel=0.1)


def test_descriptors_and_threads_count_as_well() -> None:
    assert fails(judged(lambda _: 70, descriptors=lambda minute: 20 + 2 * minute)) == [
        "descriptors"
    ]
    assert fails(judged(lambda _: 70, threads=lambda minute: 4 + minute)) == ["threads"]


def test_soak_that_ended_early_is_not_judged() -> None:
    assert judged(lambda minute: 70 + 50 * minute, until=3.5) == []
    assert fails([]) == []


def test_soak_table_shows_first_and_last_values() -> None:
    (trend,) = judged(lambda minute: 70 + 2 * minute)
    name, pid, first, last, _, *counts = trend.row
    assert (name, pid, counts) == ("api", 7, [20, 20, 4, 4])
    assert first == pytest.approx(76.7, abs=3)
    assert last == pytest.approx(90, abs=3)
