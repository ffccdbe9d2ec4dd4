"""Checks of Redis by what its INFO says."""

import time
from typing import Any, Self

import pytest
import redis

from cli.doctor import redis_checks
from cli.doctor.redis_checks import findings_of_redis

GOOD = {
    "redis_version": "8.2.3",
    "maxmemory_policy": "noeviction",
    "role": "master",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "used_memory": 10,
    "maxmemory": 100,
}


class FakeRedis:
    """Answers as a Redis with these facts."""

    def __init__(self, info: dict[str, Any], sync: str = "always", ahead: float = 0.0) -> None:
        self._info, self._sync, self._ahead = info, sync, ahead

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def ping(self) -> bool:
        return True

    def info(self) -> dict[str, Any]:
        if not self._info:
            raise redis.exceptions.NoPermissionError("no permission")
        return self._info

    def config_get(self, name: str) -> dict[str, str]:
        if not self._sync:
            raise redis.ResponseError("unknown command 'CONFIG'")
        return {name: self._sync}

    def time(self) -> tuple[int, int]:
        now = time.time() + self._ahead
        return int(now), int(now % 1 * 1e6)


def not_passed(monkeypatch: pytest.MonkeyPatch, fake: FakeRedis) -> dict[str, str]:
    monkeypatch.setattr(redis_checks, "connection_problem", lambda url: None)
    monkeypatch.setattr(redis_checks, "connect", lambda url, timeout: fake)
    found = {each.check: each.level for each in findings_of_redis("redis://127.0.0.1:1/0")}
    assert len(found) == 7
    return {check: level for check, level in found.items() if level != "pass"}


def test_good_redis_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not_passed(monkeypatch, FakeRedis(GOOD)) == {}
    assert not_passed(monkeypatch, FakeRedis(GOOD, sync="")) == {}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"redis_version": "7.2.4"}, {"redis version": "warn"}),
        ({"valkey_version": "8.1.4", "redis_version": "7.2.4"}, {}),
        ({"valkey_version": "8.1.3", "redis_version": "7.2.4"}, {"redis version": "warn"}),
        ({"maxmemory_policy": "allkeys-lru"}, {"redis settings": "fail"}),
        ({"role": "slave"}, {"redis settings": "fail"}),
        ({"aof_enabled": 0}, {"redis settings": "warn"}),
        ({"aof_last_write_status": "err"}, {"redis log": "fail"}),
        ({"used_memory": 81}, {"redis memory": "warn"}),
        ({"used_memory": 96}, {"redis memory": "fail"}),
        ({"maxmemory": 0}, {"redis memory": "warn"}),
    ],
)
def test_faults_that_info_shows(
    monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], expected: dict[str, str]
) -> None:
    assert not_passed(monkeypatch, FakeRedis(GOOD | facts)) == expected


def test_log_that_is_synced_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not_passed(monkeypatch, FakeRedis(GOOD, sync="everysec")) == {"redis log": "warn"}


@pytest.mark.parametrize("ahead", [-2.0, 2.0])
def test_clock_that_is_wrong(monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    assert not_passed(monkeypatch, FakeRedis(GOOD, ahead=ahead)) == {"redis clock": "warn"}


def test_managed_redis_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not_passed(monkeypatch, FakeRedis({}, sync="")) == {
        "redis settings": "warn",
        "redis memory": "warn",
    }


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "no address"])
def test_redis_that_does_not_answer_is_not_asked_more(url: str) -> None:
    (found,) = findings_of_redis(url)
    assert (found.check, found.level) == ("redis", "fail")
    assert found.message.startswith("does not answer: ")
