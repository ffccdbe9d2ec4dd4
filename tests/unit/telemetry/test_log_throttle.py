"""Frequent events are logged at once, and then once per period."""

from telemetry.log_throttle import THROTTLE_SECONDS, LogThrottle


def test_seldom_logs_the_first_and_then_one_a_period_with_a_count() -> None:
    now = [0.0]
    throttle = LogThrottle(lambda: now[0])
    assert [throttle.count() for _ in range(100)] == [1] + 99 * [0]
    now[0] = THROTTLE_SECONDS
    assert throttle.count() == 100
    now[0] = 10 * THROTTLE_SECONDS
    assert throttle.count() == 1
