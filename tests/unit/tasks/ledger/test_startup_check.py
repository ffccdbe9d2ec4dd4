"""The check of a Redis server, and the end of a process that it does not suit."""

import logging
import os
import signal
from typing import Any

import pytest
import redis

from tasks.ledger.server import startup_check
from tasks.ledger.server.server import Server, look
from tasks.ledger.server.startup_check import StartupCheck
from tests.support.stack import until

GOOD = {
    "maxmemory": 2**29,
    "maxmemory_policy": "noeviction",
    "cluster_enabled": 0,
    "role": "master",
    "aof_enabled": 1,
}


class FakeInfo:
    """A client of a server with these facts; it fails for the first ``away`` calls."""

    def __init__(self, away: int = 0, **changes: Any) -> None:
        self.away, self.said = away, GOOD | changes

    def info(self) -> dict[str, Any]:
        self.away -= 1
        if self.away >= 0:
            raise redis.ConnectionError("it is away")
        return {name: value for name, value in self.said.items() if value is not None}


class Closed:
    """A client without permission for INFO."""

    def info(self) -> dict[str, Any]:
        raise redis.exceptions.NoPermissionError


def test_durable_redis_is_fit() -> None:
    server = look(FakeInfo())
    assert server.refusal is None
    assert list(server.warnings) == []
    assert server.maxmemory == 2**29


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"maxmemory_policy": "allkeys-lru"}, "set maxmemory-policy to noeviction"),
        ({"maxmemory_policy": "volatile-ttl"}, "set maxmemory-policy to noeviction"),
        ({"cluster_enabled": 1}, "it is a Redis Cluster"),
        ({"role": "slave"}, "it is a replica"),
    ],
)
def test_evicting_or_read_only_redis_is_refused(said: dict[str, Any], reason: str) -> None:
    refusal = look(FakeInfo(**said)).refusal
    assert refusal is not None
    assert reason in refusal


@pytest.mark.parametrize(
    ("client", "warning"),
    [
        (FakeInfo(aof_enabled=0), "it has no append-only file"),
        (FakeInfo(maxmemory_policy=None), "it does not report its maxmemory-policy"),
        (Closed(), "it does not report its maxmemory-policy"),
    ],
)
def test_redis_at_risk_is_warned_of(client: Any, warning: str) -> None:
    server = look(client)
    assert server.refusal is None
    (told,) = server.warnings
    assert warning in told


def test_unfit_redis_ends_a_starting_process(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        StartupCheck(FakeInfo(maxmemory_policy="allkeys-lru"), list).run()
    assert ended.value.code == os.EX_CONFIG
    (record,) = caplog.records
    assert record.levelno == logging.CRITICAL
    assert "allkeys-lru" in record.getMessage()


def test_absent_redis_is_looked_at_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup_check, "RECHECK_SECONDS", 0.001)
    seen: list[Server] = []
    StartupCheck(FakeInfo(away=3), seen.append).run()
    until(lambda: seen, "a look")
    assert [server.maxmemory for server in seen] == [2**29]


def test_redis_that_returns_unfit_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup_check, "RECHECK_SECONDS", 0.001)
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    StartupCheck(FakeInfo(away=1, role="slave"), list).run()
    until(lambda: killed, "the end")
    assert killed == [(os.getpid(), signal.SIGTERM)]
