"""What becomes of an event after each answer."""

import pytest

from webhooks.guard import TargetUnreachable
from webhooks.schedule import RETRY_WAITS, after
from webhooks.sending import ReceiverAnswer


@pytest.mark.parametrize("status", [200, 202, 204])
def test_success_delivers(status: int) -> None:
    assert after(ReceiverAnswer(status), 3).became == "delivered"


@pytest.mark.parametrize(
    "result",
    [ReceiverAnswer(500), ReceiverAnswer(302), ReceiverAnswer(404), TargetUnreachable("no")],
)
def test_failure_is_repeated_on_the_schedule_and_then_given_up(
    result: ReceiverAnswer | TargetUnreachable,
) -> None:
    waits = [after(result, attempts).wait for attempts in range(len(RETRY_WAITS))]
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 36000]
    assert after(result, len(RETRY_WAITS)).became == "given_up"


def test_retry_after_lengthens_a_wait_to_ten_hours_at_most() -> None:
    assert after(ReceiverAnswer(503, retry_after=60), 0).wait == 60
    assert after(ReceiverAnswer(503, retry_after=60), 1).wait == 300
    assert after(ReceiverAnswer(503, retry_after=10**6), 0).wait == 36000


def test_gone_is_given_up_at_once() -> None:
    assert after(ReceiverAnswer(410, begins="no more "), 0) == (
        "given_up",
        0,
        "it answered 410: no more",
    )
