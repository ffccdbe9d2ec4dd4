"""Messages come over the channel of the current connection, until the worker shuts down."""

from collections.abc import Callable

import pytest

from workers.microbatch.batch_size import MAX_BATCH_WAIT
from workers.microbatch.intake import Intake


class Channel:
    """Counts how often it was asked for messages."""

    def __init__(self) -> None:
        self.asked = 0

    def consume(self) -> int:
        self.asked += 1
        return 0


class Timer:
    """Records what is due."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], object]]] = []

    def call_after(self, seconds: float, call: Callable[[], object]) -> None:
        self.due.append((seconds, call))


@pytest.fixture
def timer() -> Timer:
    return Timer()


def test_intake_takes_nothing_before_a_connection() -> None:
    Intake().take()


def test_intake_takes_over_the_current_connection(timer: Timer) -> None:
    intake, first, second = Intake(), Channel(), Channel()
    intake.open(first.consume, timer)
    intake.take()
    intake.open(second.consume, timer)
    intake.take()
    assert (first.asked, second.asked) == (1, 1)


def test_intake_takes_nothing_once_it_is_closed(timer: Timer) -> None:
    intake, channel = Intake(), Channel()
    intake.open(channel.consume, timer)
    intake.close()
    intake.take()
    assert channel.asked == 0


def test_intake_takes_soon_over_the_channel_that_is_open_then(timer: Timer) -> None:
    intake, first, second = Intake(), Channel(), Channel()
    intake.open(first.consume, timer)
    intake.take_soon()
    ((seconds, take),) = timer.due
    intake.open(second.consume, timer)
    take()
    assert (seconds, first.asked, second.asked) == (MAX_BATCH_WAIT, 0, 1)
