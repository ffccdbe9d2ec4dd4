"""Records every command that Redis receives, by the process that sent it."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
import redis
from redis.commands.core import Script

from benchmarks.harness.processes import free_port
from stack.redis.server import RedisServer, prepare_server
from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from tasks.ledger.queue.reservations import Reservations
from tasks.ledger.queue.workers import Workers
from tasks.settings import Settings
from tests.support.stack import TEST_TIMEOUT, LiveStack

END = "ECHO the-tap-is-closed"


class RedisOnPort(RedisServer, frozen=True, kw_only=True):
    """A Redis on a TCP port: MONITOR distinguishes clients by port, which a socket lacks."""

    port: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def configuration(self) -> str:
        return super().configuration().replace("port 0\n", f"bind 127.0.0.1\nport {self.port}\n")


def prepare_on_port(directory: Path) -> RedisOnPort:
    """As `prepare`, but on a TCP port."""
    return RedisOnPort(**msgspec.structs.asdict(prepare_server(directory)), port=free_port())


class CommandCounts:
    """The commands that each process sent; complete after the context.

    Counts map a command, or the name of a script, to its number of calls.
    """

    def __init__(self) -> None:
        self.api: Counter[str] = Counter()
        self.worker: Counter[str] = Counter()
        self.pool: Counter[str] = Counter()
        self.seconds = 0.0


@contextmanager
def counted_commands(stack: LiveStack) -> Iterator[CommandCounts]:
    """Listen with MONITOR, which distinguishes commands of clients from those of scripts.

    Redis's own statistics do not. MONITOR omits administrative commands.
    """
    tap, started = CommandCounts(), time.monotonic()
    with connect(stack.redis_url, timeout=TEST_TIMEOUT) as client, client.monitor() as monitor:
        yield tap
        tap.seconds = time.monotonic() - started
        client.execute_command(*END.split())
        heard = list(iter(lambda: _from_a_client(monitor), None))
        names, counts = _script_names(client, stack), _counts_by_port(tap, stack)
    for port, command in heard:
        counts[port][_name(command, names)] += 1


def _from_a_client(monitor: Any) -> tuple[int, str] | None:
    """The next command of a client and its port; None at the end."""
    while (told := monitor.next_command())["client_type"] == "lua":
        pass
    return None if told["command"] == END else (int(told["client_port"]), told["command"])


def _name(command: str, scripts: dict[str, str]) -> str:
    name, *arguments = command.split(maxsplit=2)
    return scripts.get(arguments[0], command) if name == "EVALSHA" else name


def _script_names(client: redis.Redis, stack: LiveStack) -> dict[str, str]:
    settings = Settings(home=stack.home, redis_url=stack.redis_url)
    owners = (
        Ledger(client, settings),
        Reservations(client, settings.visibility_timeout, settings.result_ttl),
        QueueSnapshots(client),
        Workers(client),
    )
    held = (entry for owner in owners for entry in vars(owner).items())
    return {value.sha: name.strip("_") for name, value in held if isinstance(value, Script)}


def _counts_by_port(tap: CommandCounts, stack: LiveStack) -> dict[int, Counter[str]]:
    """Raises for a port of no known process, so that every command is counted."""
    api = psutil.Process(stack.pid("api"))
    owners = (
        (tap.api, [api, *api.children(recursive=True)]),
        (tap.worker, [psutil.Process(stack.pid("worker"))]),
        (tap.pool, stack.pool()),
        (Counter[str](), [psutil.Process()]),  # the test's own connection
    )
    return {
        connection.laddr.port: count
        for count, processes in owners
        for process in processes
        for connection in process.net_connections("tcp4")
    }
