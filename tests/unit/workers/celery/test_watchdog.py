"""When a worker counts as stalled, and how it ends; time is counted in checks."""

import os
from collections.abc import Callable, Iterator
from itertools import count

import pytest
import redis
from celery.worker import state

from workers.celery import watchdog
from workers.celery.watchdog import EXIT_MARGIN, STALLED_CHECKS, STOP_TIMEOUT, Watchdog


class Ended(BaseException):
    """Raised in place of exiting this process."""


class Looks:
    """The event that ends a watchdog: set after ``most`` checks, or by an orderly shutdown."""

    def __init__(self, most: int, *, ends: bool) -> None:
        self._left, self._ends = most, ends
        self.waited: list[float] = []

    def note(self) -> None:
        """Redis cannot count the stall, which must not keep the worker from ending."""
        raise redis.ConnectionError

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        if seconds == STOP_TIMEOUT:
            return self._ends
        self._left -= 1
        return self._left < 0


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Seconds that the watchdog slept; exiting is replaced by `Ended`."""
    slept: list[float] = []

    def leave(code: int) -> None:
        assert code == os.EX_SOFTWARE
        raise Ended

    monkeypatch.setattr(watchdog.os, "_exit", leave)
    monkeypatch.setattr(watchdog.time, "sleep", slept.append)
    yield slept
    state.should_stop = None


def watch(
    sign: Callable[[], int], waiting: Callable[[], int], looks: int, *, ends: bool = False
) -> Looks:
    """Run a watchdog for ``looks`` checks; raises `Ended` if it ends the worker."""
    over = Looks(looks, ends=ends)
    watch = Watchdog(
        lambda: ("it does nothing", sign()), waiting, over.note, shutdown_timeout=300.0
    )
    watch._over = over
    watch.run()
    return over


def test_stalled_worker_with_waiting_messages_is_ended() -> None:
    with pytest.raises(Ended):
        watch(lambda: 1, lambda: 1, STALLED_CHECKS)
    assert state.should_stop == os.EX_SOFTWARE


def test_stall_takes_consecutive_looks() -> None:
    watch(lambda: 1, lambda: 1, STALLED_CHECKS - 1)
    steps = iter([*range(5), *[5] * STALLED_CHECKS])
    watch(lambda: next(steps), lambda: 1, 3 + STALLED_CHECKS)
    assert state.should_stop is None
    steps = iter([*range(5), *[5] * (STALLED_CHECKS + 1)])
    with pytest.raises(Ended):
        watch(lambda: next(steps), lambda: 1, 5 + STALLED_CHECKS)


def without_redis() -> int:
    raise redis.ConnectionError


@pytest.mark.parametrize("waiting", [lambda: 0, without_redis])
def test_idle_worker_is_not_stalled(waiting: Callable[[], int]) -> None:
    watch(lambda: 1, waiting, 10 * STALLED_CHECKS)
    assert state.should_stop is None


def test_progressing_worker_is_not_stalled() -> None:
    steps = count()
    watch(lambda: next(steps), lambda: 1, 10 * STALLED_CHECKS)
    assert state.should_stop is None


def test_stalled_worker_whose_loop_runs_may_shut_down(slept: list[float]) -> None:
    with pytest.raises(Ended):
        watch(lambda: 1, lambda: 1, STALLED_CHECKS, ends=True)
    assert slept == [300.0 + EXIT_MARGIN]


def test_stalled_worker_that_cannot_stop_is_ended_at_once(slept: list[float]) -> None:
    with pytest.raises(Ended):
        watch(lambda: 1, lambda: 1, STALLED_CHECKS, ends=False)
    assert slept == []
