"""The time limit of a pool process."""

import os
import signal
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from telemetry.errors import ModelError
from workers.pool.child import limited


@pytest.fixture(autouse=True)
def _the_alarm_of_the_test_itself_comes_back() -> Iterator[None]:
    own = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.setitimer(signal.ITIMER_REAL, *own)


def left() -> float:
    """Seconds until the alarm of this process."""
    return signal.getitimer(signal.ITIMER_REAL)[0]


def test_time_limit_sets_an_alarm() -> None:
    with limited(300.0):
        assert 0 < left() <= 300


@pytest.mark.parametrize("error", [None, ModelError, MemoryError, KeyboardInterrupt])
def test_time_limit_is_cleared_afterwards(error: type[BaseException] | None) -> None:
    with pytest.raises(error) if error else nullcontext(), limited(300.0):
        if error:
            raise error
    assert left() == 0


def test_time_limit_ends_the_process() -> None:
    if (pid := os.fork()) == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # as in the pool, which installs no handler
        with limited(0.01):
            signal.pause()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGALRM
