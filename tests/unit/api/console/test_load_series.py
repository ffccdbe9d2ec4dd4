"""Rates and latencies from the differences between snapshots."""

import pytest

from api.console.live.load_series import LoadSeries, percentile
from tasks.ledger.statistics import BUCKETS
from tests.unit.api.console.pictures import queue, snapshot, statistics


def test_load_series_computes_rates_over_ten_seconds() -> None:
    series = LoadSeries()
    for second in range(21):
        now = snapshot(
            at=1000.0 + second,
            queues={"predict": queue(taken=5 * second, depth=second), "bulk": queue()},
            statistics=[statistics(4 * second)],
        )
        load = series.add(now)
    assert load.accepted == pytest.approx(6.0)
    assert load.answered == pytest.approx(4.0)
    assert load.p50 == load.p99 == BUCKETS[10]
    assert [point.at for point in series.points] == [1000.0, 1010.0, 1020.0]


def test_load_series_of_one_snapshot_has_no_rates() -> None:
    load = LoadSeries().add(snapshot(statistics=[statistics(100)]))
    assert (load.accepted, load.answered, load.p50) == (0.0, 0.0, None)


def test_load_series_has_no_negative_rate_after_a_purge() -> None:
    series = LoadSeries()
    series.add(snapshot(queues={"predict": queue(depth=50), "bulk": queue()}))
    assert series.add(snapshot(at=1010.0)).accepted == 0.0


def test_percentile_of_a_histogram() -> None:
    histogram = [0] * (len(BUCKETS) + 1)
    assert percentile(histogram, 0.5) is None
    histogram[3], histogram[20] = 90, 10
    assert percentile(histogram, 0.5) == BUCKETS[3]
    assert percentile(histogram, 0.95) == BUCKETS[20]
