"""The Redis of a stack: the one of REDIS_URL, or a server that `up` starts."""

import json
from pathlib import Path

import click
import msgspec
import redis

from stack.process import ROOT, Program
from stack.redis import memory as redis_memory
from stack.redis import socket as redis_socket
from stack.redis.binary import find_binary, is_flawed, version, version_output
from tasks.ledger.ledger import connect
from tasks.ledger.server.server import look

START = ROOT / "deploy/redis.sh"
"""Start script, which first repairs a log that was torn by a crash."""
PING_TIMEOUT = 2.0
"""Seconds to wait for the answer to a PING."""
FLAWED = """redis   {version} has known flaws, unless your distribution patched them: a client
        that may run scripts on it can run any code (CVE-2025-49844). Only you can
        open its socket; a newer redis-server or valkey-server on PATH is used instead."""


class RedisServer(msgspec.Struct, frozen=True):
    """A server for us to start; its data stays in ``directory``."""

    binary: Path
    directory: Path
    socket: Path
    maxmemory: int
    """Bytes."""

    @property
    def url(self) -> str:
        return redis_socket.url(self.socket)

    @property
    def warning(self) -> str | None:
        """A warning to show at the start, if the server has known vulnerabilities."""
        told = version_output(self.binary)
        return FLAWED.format(version=version(told)) if is_flawed(told) else None

    def program(self) -> Program:
        """Write the configuration, and return the program that starts the server.

        Raises `click.ClickException` if the data was written by a newer version.
        """
        its_version = version(version_output(self.binary))
        self._refuse_newer_data(its_version)
        configuration = self.directory / "redis.conf"
        configuration.write_text(self.configuration())
        line = f"started {self.socket} ({self.binary.name} {its_version})"
        command = ("sh", str(START), str(self.directory), str(self.binary), str(configuration))
        return Program(
            "redis", command, ready=lambda: None if connection_problem(self.url) else line
        )

    def configuration(self) -> str:
        """Redis's configuration: writes survive a power loss, and a full Redis refuses writes
        rather than evict data.
        """
        settings = {
            "port": 0,  # no TCP, which other accounts of this machine could use
            # Quoted, as a path may have blanks. Redis does not know JSON's escapes for non-ASCII.
            "unixsocket": json.dumps(str(self.socket), ensure_ascii=False),
            "unixsocketperm": 700,
            "daemonize": "no",
            "dir": json.dumps(str(self.directory), ensure_ascii=False),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": '""',  # no snapshots: the log alone has all data
            "maxmemory": self.maxmemory,
            "maxmemory-policy": "noeviction",
            "latency-monitor-threshold": 500,  # ms: records what caused long pauses
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _refuse_newer_data(self, version: str) -> None:
        # Redis 6 keeps its log at another path, so it would silently start empty.
        if version.startswith("6.") and (self.directory / "appendonlydir").exists():
            raise click.ClickException(
                f"{self.directory} was written by Redis 7 or later; {self.binary} is {version}. "
                "Put the newer redis-server on PATH again, or start with another --home."
            )


def prepare_server(directory: Path) -> RedisServer:
    """Choose a server for this directory; if there is none, the error says what to install."""
    socket_path = redis_socket.socket_path(directory)
    return RedisServer(find_binary(), directory, socket_path, redis_memory.share())


def connection_problem(url: str) -> str | None:
    """Why Redis does not answer at ``url`` (still loading included); ``None`` if it does."""
    try:
        with connect(url, PING_TIMEOUT) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return str(error)
    return None


def require(url: str) -> list[str]:
    """Check the Redis of REDIS_URL; returns warnings.

    Raises `click.ClickException` if it does not answer or cannot be used.
    """
    if reason := connection_problem(url):
        raise click.ClickException(f"the Redis of REDIS_URL does not answer: {reason}")
    with connect(url, PING_TIMEOUT) as client:
        server = look(client)
    if server.refusal:
        raise click.ClickException(f"the Redis of REDIS_URL cannot be used: {server.refusal}")
    return list(server.warnings)
