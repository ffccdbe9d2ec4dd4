"""What counters have counted, over resets, gaps, restarts and steps of the clock."""

from tasks.alerts.rules.selectors import MetricSample, parse_selector
from tasks.alerts.watching.counts import KEPT_SECONDS, MAX_COUNT_POINTS, CounterSums, CountPoint

COUNTER = parse_selector('c_total{kind!="other"}')


def scrape(**values: float) -> dict[str, list[MetricSample]]:
    return {"c_total": [MetricSample("c_total", {"kind": k}, v) for k, v in values.items()]}


def test_increase_is_that_of_the_window() -> None:
    counts = CounterSums([COUNTER])
    for minute in range(10):
        counts.add(60.0 * minute, scrape(a=2 * minute, b=minute, other=100 * minute))
    assert counts.increase(COUNTER, 300) == 15
    assert counts.increase(COUNTER, 3600) == 27


def test_first_scrape_counts_nothing_and_a_new_series_everything() -> None:
    counts = CounterSums([COUNTER])
    counts.add(0, scrape(a=1000))
    counts.add(60, scrape(a=1000, b=3))
    assert counts.increase(COUNTER, 600) == 3


def test_counter_that_begins_again_goes_on() -> None:
    counts = CounterSums([COUNTER])
    for minute, value in enumerate((5, 9, 1, 2)):
        counts.add(60.0 * minute, scrape(a=value))
    assert counts.increase(COUNTER, 600) == 4 + 1 + 1


def test_scrape_that_failed_counts_nothing_twice() -> None:
    counts = CounterSums([COUNTER])
    counts.add(0, {})
    counts.add(60, scrape(a=7))
    counts.add(120, {})
    counts.add(180, scrape(a=8))
    assert counts.increase(COUNTER, 600) == 1


def test_points_go_on_after_a_restart() -> None:
    first = CounterSums([COUNTER])
    points = [first.add(60.0 * minute, scrape(a=minute)) for minute in range(5)]
    again = CounterSums([COUNTER], [point for point in points if point])
    again.add(300, scrape(a=9))
    again.add(360, scrape(a=11))
    assert again.increase(COUNTER, 3600) == 4 + 2


def test_points_are_a_minute_apart_and_bounded() -> None:
    counts = CounterSums([COUNTER])
    assert counts.add(0, scrape(a=0)) == CountPoint(0, {COUNTER.text: 0})
    assert counts.add(59, scrape(a=1)) is None
    assert counts.increase(COUNTER, 600) == 1
    for minute in range(1, MAX_COUNT_POINTS + 10):
        counts.add(60.0 * minute, scrape(a=minute))
    assert counts.increase(COUNTER, 10 * KEPT_SECONDS) == MAX_COUNT_POINTS - 1


def test_clock_that_is_set_back_loses_no_counts() -> None:
    counts = CounterSums([COUNTER])
    counts.add(1000, scrape(a=0))
    counts.add(500, scrape(a=2))
    counts.add(560, scrape(a=3))
    assert counts.increase(COUNTER, 600) == 1
