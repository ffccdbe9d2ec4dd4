"""When a worker counts as stalled, and how it ends; the clock is a number of looks."""

import os
from collections.abc import Callable, Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from celery.worker import state

from workers.celery import watchdog
from workers.celery.watchdog import EXIT_TIMEOUT, STALLED, STOP_TIMEOUT, Watchdog, has_room


class Ended(BaseException):
    """In place of the end of this process."""


class Looks:
    """The event that ends a watch: set after so many looks, or once the worker is told to end."""

    def __init__(self, most: int, *, ends: bool) -> None:
        self._left, self._ends = most, ends
        self.waited: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        if seconds == STOP_TIMEOUT:
            return self._ends
        self._left -= 1
        return self._left < 0


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """For how long the watch slept. Nothing ends this process."""
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
    """Let a watch look so many times; raises `Ended` if it ends the worker."""
    watch = Watchdog(lambda: ("it does nothing", sign()), waiting)
    watch._over = over = Looks(looks, ends=ends)  # type: ignore[assignment]
    watch.run()
    return over


def test_it_ends_what_gets_on_with_nothing_while_messages_wait() -> None:
    with pytest.raises(Ended):
        watch(lambda: 1, lambda: 1, STALLED)
    assert state.should_stop == os.EX_SOFTWARE


def test_it_takes_so_many_looks_in_a_row() -> None:
    watch(lambda: 1, lambda: 1, STALLED - 1)
    steps = iter([*range(5), *[5] * STALLED])
    watch(lambda: next(steps), lambda: 1, 3 + STALLED)
    assert state.should_stop is None
    steps = iter([*range(5), *[5] * (STALLED + 1)])
    with pytest.raises(Ended):
        watch(lambda: next(steps), lambda: 1, 5 + STALLED)


def without_redis() -> int:
    raise redis.ConnectionError


@pytest.mark.parametrize("waiting", [lambda: 0, without_redis])
def test_what_has_nothing_to_do_is_not_stalled(waiting: Callable[[], int]) -> None:
    watch(lambda: 1, waiting, 10 * STALLED)
    assert state.should_stop is None


def test_what_gets_on_is_not_stalled() -> None:
    steps = count()
    watch(lambda: next(steps), lambda: 1, 10 * STALLED)
    assert state.should_stop is None


def test_a_loop_that_still_turns_may_end_in_order(slept: list[float]) -> None:
    with pytest.raises(Ended):
        watch(lambda: 1, lambda: 1, STALLED, ends=True)
    assert slept == [EXIT_TIMEOUT]


def test_one_that_does_not_is_ended_at_once(slept: list[float]) -> None:
    with pytest.raises(Ended):
        watch(lambda: 1, lambda: 1, STALLED, ends=False)
    assert slept == []


def test_room_is_looked_at_from_beside_the_loop() -> None:
    class Changing:
        @property
        def room(self) -> int:
            raise RuntimeError("dictionary changed size during iteration")

    def of(batcher: Any) -> bool:
        return has_room(batcher)

    assert of(SimpleNamespace(room=1))
    assert not of(SimpleNamespace(room=0))
    assert not of(Changing())
