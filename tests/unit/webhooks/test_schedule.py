"""What becomes of an event after each answer."""

import pytest

from webhooks.guard import Unreachable
from webhooks.schedule import WAITS, after
from webhooks.sending import Answer


@pytest.mark.parametrize("status", [200, 202, 204])
def test_success_delivers(status: int) -> None:
    assert after(Answer(status), 3).became == "delivered"


@pytest.mark.parametrize("result", [Answer(500), Answer(302), Answer(404), Unreachable("no")])
def test_failure_is_repeated_on_the_schedule_and_then_given_up(
    result: Answer | Unreachable,
) -> None:
    waits = [after(result, attempts).wait for attempts in range(len(WAITS))]
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 36000]
    assert after(result, len(WAITS)).became == "given_up"


def test_retry_after_lengthens_a_wait_to_ten_hours_at_most() -> None:
    assert after(Answer(503, retry_after=60), 0).wait == 60
    assert after(Answer(503, retry_after=60), 1).wait == 300
    assert after(Answer(503, retry_after=10**6), 0).wait == 36000


def test_gone_is_given_up_at_once() -> None:
    assert after(Answer(410, begins="no more "), 0) == ("given_up", 0, "it answered 410: no more")
