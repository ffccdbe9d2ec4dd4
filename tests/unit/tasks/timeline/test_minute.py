"""A minute is what counters grew by."""

import pytest

from tasks.timeline.call_sums import CallSums
from tasks.timeline.minute import (
    MAX_MINUTE_VERSIONS,
    CounterTotals,
    HostMinute,
    VersionMinute,
    grown,
)

HOST = HostMinute(3, 0.5, 2, 1000, 2000, 0.25)


def version(count: int, calls: int = 0, seconds: float = 0.0) -> VersionMinute:
    return VersionMinute({"succeeded": count}, count, seconds, {7: count}, CallSums(calls))


def test_what_was_counted_since_is_kept() -> None:
    before = CounterTotals(1000.0, 50, {"a:1": version(10, 4), "b:1": version(3)})
    now = CounterTotals(
        1060.0, 70, {"a:1": version(15, 6, 1.0), "b:1": version(3), "c:1": version(2)}
    )
    minute = grown(before, now, HOST, 120.0)
    assert (minute.at, minute.seconds, minute.accepted) == (1060.0, 60.0, 20)
    assert minute.versions == {"a:1": version(5, 2, 1.0), "c:1": version(2)}
    assert minute.host == HOST


def test_counters_that_begin_again_count_as_they_are() -> None:
    before = CounterTotals(1000.0, 50, {"a:1": version(10, 4, 9.0)})
    minute = grown(before, CounterTotals(1060.0, 5, {"a:1": version(2, 1, 0.5)}), HOST, 120.0)
    assert minute.versions == {"a:1": version(2, 1, 0.5)}
    assert minute.accepted == 0


def test_a_stop_of_the_stack_does_not_stretch_a_minute() -> None:
    minute = grown(CounterTotals(0.0, 0, {}), CounterTotals(90_000.0, 1, {}), HOST, 120.0)
    assert minute.seconds == 120.0


def test_the_busiest_versions_are_kept() -> None:
    many = {f"m:{number}": version(number) for number in range(1, MAX_MINUTE_VERSIONS + 3)}
    kept = grown(CounterTotals(0.0, 0, {}), CounterTotals(60.0, 0, many), HOST, 120.0).versions
    assert len(kept) == MAX_MINUTE_VERSIONS
    assert not {"m:1", "m:2"} & kept.keys()


def calls_of(*of_each: tuple[int, int]) -> CallSums:
    """Sums over calls, each with its rows and microseconds."""
    return sum((CallSums(1, 1, n, 0, us, n * n, n * us) for n, us in of_each), CallSums())


def test_time_of_calls_is_fitted_to_their_rows() -> None:
    assert calls_of((1, 110), (10, 200), (64, 740)).fitted() == pytest.approx((100.0, 10.0))
    assert calls_of((1, 110), (2, 90), (1, 90), (2, 110)).fitted() == pytest.approx((100.0, 0.0))


@pytest.mark.parametrize("calls", [(), ((4, 100),), ((4, 100), (4, 200)), ((1, 100), (9, 10))])
def test_calls_that_do_not_tell_are_not_fitted(calls: tuple[tuple[int, int], ...]) -> None:
    assert calls_of(*calls).fitted() is None
