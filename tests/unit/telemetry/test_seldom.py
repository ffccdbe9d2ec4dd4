"""Frequent events are logged at once, and then once per period."""

from telemetry.seldom import PERIOD, Seldom


def test_seldom_logs_the_first_and_then_one_a_period_with_a_count() -> None:
    now = [0.0]
    seldom = Seldom(lambda: now[0])
    assert [seldom.count() for _ in range(100)] == [1] + 99 * [0]
    now[0] = PERIOD
    assert seldom.count() == 100
    now[0] = 10 * PERIOD
    assert seldom.count() == 1
