"""The sampler keeps the last good picture while Redis is away."""

import threading
from typing import Any

import redis

from api.console.live.sampler import Sampler
from tests.unit.api.console.pictures import snapshot


def test_sampler_keeps_the_last_picture_without_redis(monkeypatch: Any) -> None:
    monkeypatch.setattr("api.console.live.sampler.WATCHED_SECONDS", 0.0)
    answers: list[Any] = [snapshot(), redis.ConnectionError(), redis.ConnectionError(), snapshot()]

    def take() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    sampler = Sampler(take)
    assert sampler.current().away_since is None
    away = sampler.current()
    assert away.snapshot == snapshot()
    assert away.away_since is not None
    assert sampler.current().away_since == away.away_since
    assert sampler.current().away_since is None


def test_sampler_reads_once_a_second_for_all_pages() -> None:
    taken: list[int] = []

    def take() -> Any:
        taken.append(1)
        return snapshot()

    sampler = Sampler(take)
    for _ in range(50):
        sampler.current()
    assert len(taken) == 1


def test_sampler_gives_the_picture_before_while_redis_is_slow(monkeypatch: Any) -> None:
    monkeypatch.setattr("api.console.live.sampler.WATCHED_SECONDS", 0.0)
    asked, answered = threading.Event(), threading.Event()
    answered.set()

    def take() -> Any:
        asked.set()
        assert answered.wait(30)
        return snapshot()

    sampler = Sampler(take)
    first = sampler.current()
    answered.clear()
    asked.clear()
    reader = threading.Thread(target=sampler.current)
    reader.start()
    try:
        assert asked.wait(30)
        assert sampler.current() is first
        sampler.start()
    finally:
        answered.set()
        reader.join()
