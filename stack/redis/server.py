"""The Redis of a stack: one that runs elsewhere, or a real server found here and started."""

import json
import random
import socket
from pathlib import Path

import click
import msgspec
import redis

from stack.process import ROOT, Program
from stack.redis import memory as redis_memory
from stack.redis import socket as redis_socket
from stack.redis.binary import find_binary, is_flawed, told_by, version
from tasks.ledger.ledger import connect
from tasks.ledger.server.server import look

START = ROOT / "deploy/redis.sh"
"""What starts a server over a log that may be torn at its end."""
PORTS = range(20000, 32000)
"""Below the system's own choice: a client that reconnects there could take the port itself."""
PING_TIMEOUT = 2.0
"""Seconds that a Redis may take to answer a PING."""
FLAWED = """redis   {version} has known flaws, unless your system's packages mended them: whoever
        may run scripts on it can run any code (CVE-2025-49844). Its socket is open to you
        alone; a newer redis-server or valkey-server on PATH is taken instead."""


class RedisServer(msgspec.Struct, frozen=True):
    """A server that is ours to start; its data outlives it in ``directory``."""

    binary: Path
    directory: Path
    socket: Path
    maxmemory: int
    """Bytes that it holds at most."""

    @property
    def url(self) -> str:
        return redis_socket.url(self.socket)

    @property
    def warning(self) -> str | None:
        """What whoever starts it should know."""
        told = told_by(self.binary)
        return FLAWED.format(version=version(told)) if is_flawed(told) else None

    def program(self) -> Program:
        """What starts it, with a configuration written for this start."""
        its_version = version(told_by(self.binary))
        self._refuse_newer_data(its_version)
        configuration = self.directory / "redis.conf"
        configuration.write_text(self.configuration())
        line = f"started {self.socket} ({self.binary.name} {its_version})"
        command = ("sh", str(START), str(self.directory), str(self.binary), str(configuration))
        return Program("redis", command, ready=lambda: None if trouble(self.url) else line)

    def configuration(self) -> str:
        """Every accepted write survives a power loss; a full Redis refuses, it never forgets."""
        settings = {
            "port": 0,  # other accounts of this machine could speak to one
            "unixsocket": json.dumps(str(self.socket), ensure_ascii=False),
            "unixsocketperm": 700,
            "daemonize": "no",
            "dir": json.dumps(str(self.directory), ensure_ascii=False),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": '""',
            "maxmemory": self.maxmemory,
            "maxmemory-policy": "noeviction",
            "latency-monitor-threshold": 500,  # ms: it says afterwards why it was silent
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _refuse_newer_data(self, version: str) -> None:
        # Redis before 7 keeps its log elsewhere: it would start empty, without a word.
        if version.startswith("6.") and (self.directory / "appendonlydir").exists():
            raise click.ClickException(
                f"{self.directory} was written by Redis 7 or later; {self.binary} is {version}. "
                "Put the newer redis-server on PATH again, or start with another --home."
            )


def prepare(directory: Path) -> RedisServer:
    """A server over this directory; an error names what to install."""
    socket_path = redis_socket.place(directory)
    return RedisServer(find_binary(), directory, socket_path, redis_memory.share())


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    for port in random.sample(PORTS, 100):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise click.ClickException("no free port for Redis on 127.0.0.1")


def trouble(url: str) -> str | None:
    """Why no Redis answers there, or has not loaded its data yet; ``None`` when one does."""
    try:
        with connect(url, PING_TIMEOUT) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return str(error)
    return None


def require(url: str) -> list[str]:
    """Refuse a Redis of the caller's that does not answer or is unfit; gives what to warn of."""
    if reason := trouble(url):
        raise click.ClickException(f"the Redis of REDIS_URL does not answer: {reason}")
    with connect(url, PING_TIMEOUT) as client:
        server = look(client)
    if server.refusal:
        raise click.ClickException(f"the Redis of REDIS_URL cannot be used: {server.refusal}")
    return list(server.warnings)
