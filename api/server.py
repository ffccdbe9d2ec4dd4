"""Serves the API. All processes share one listening socket, so SIGHUP replaces them under load.

`python -m api.server --port 5000`
"""

import argparse
import errno
import multiprocessing
import os
import resource
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.net import SocketHolder
from granian.server.common import logger
from granian.server.mp import MPServer, WorkerProcess

from api.asgi.idle_connections import IdleConnections
from api.callers.anonymous import anonymous_caller
from tasks.settings import Settings
from telemetry.shared import reserve_space

BACKLOG = 1024
"""Connections that may wait to be accepted."""
MAX_CONNECTIONS = 4096
"""Open connections per process, idle ones included; further ones wait in the backlog."""
RESERVED_DESCRIPTORS = 512
"""File descriptors reserved for Redis, files and the registry."""
KEEP_ALIVE_MS = 15_000
"""Milliseconds that a client may take to send a request's head, or to begin the next request."""
MAX_UNREAD_MS = 60_000
"""Milliseconds for which a client may read nothing of an answer; then its connection ends."""
MAX_SERVER_HEAD_BYTES = 2**16
"""Bytes of a head that granian accepts. `RequestFilter` refuses half of it, with a proper 431."""
START_TIMEOUT = 60.0
"""Seconds that a new process may take to start serving."""
PORT_TIMEOUT = 5.0
"""Seconds to wait for the port, which the processes of a killed server hold until they end."""
DRAIN_SECONDS = 1.0
"""Seconds in which a draining process asks its keep-alive clients to close their connections."""
LAST_ANSWERS_SECONDS = 10
"""Seconds for requests in progress; then a draining process is killed."""


class Server(MPServer):  # type: ignore[misc]  # granian's types are not followed
    """Granian's server, with one listening socket for all processes.

    Granian gives each process its own socket, and connections in its backlog are refused when that
    process ends.
    """

    def __init__(self, host: str, port: int, processes: int) -> None:
        super().__init__(
            "api.app:create_app",
            address=host,
            port=port,
            interface=Interfaces.ASGINL,
            loop=Loops.uvloop,
            workers=processes,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=KEEP_ALIVE_MS, max_buffer_size=MAX_SERVER_HEAD_BYTES
            ),
            websockets=False,
            backlog=BACKLOG,
            backpressure=connection_capacity(),
            respawn_failed_workers=True,
            workers_kill_timeout=LAST_ANSWERS_SECONDS,
        )
        self._serving = multiprocessing.Event()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        self.serve(
            target_loader=partial(
                load_app, self.bind_addr, self.bind_port, self.backpressure, self._serving
            ),
            wrap_loader=False,
        )

    def _init_shared_socket(self) -> None:
        self._sso = _listen(self.bind_addr, self.bind_port)
        # Inherited by connections. Without it the end of an answer waits 40 ms for the ACK of its
        # head (Nagle's algorithm and delayed ACKs).
        self._sso.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # An unread answer never ends, so nothing else would end its connection.
        self._sso.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, MAX_UNREAD_MS)
        self._ssp, self._shd = None, SocketHolder(self._sso.fileno(), False, BACKLOG)

    def _respawn_workers(
        self, workers: Iterable[int], spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        """Replace each process: one that died, or on SIGHUP one that is to shut down."""
        for index in workers:
            old = self.wrks[index]
            new = self._spawn_worker(index, spawn_target, target_loader)
            if not old.is_alive():
                # If this one dies within five seconds, too, granian ends.
                self.respawned_wrks[index] = time.monotonic()
                new.start()
            elif not self._bring_up(new):
                logger.error("the new process does not serve; the old one stays")
                continue
            self.wrks[index] = new
            _drain_and_end([old])

    def _bring_up(self, new: WorkerProcess) -> bool:
        """Start the new process beside the old one; returns whether it serves in time."""
        self._serving.clear()
        new.interrupt_by_parent = True  # granian must not respawn it if it dies
        new.start()
        end = time.monotonic() + START_TIMEOUT
        while not self._serving.wait(0.1):
            if not new.is_alive() or time.monotonic() > end:
                new.kill()
                return False
        new.interrupt_by_parent = False
        return True

    def _stop_workers(self) -> None:
        _drain_and_end(self.wrks)
        self.wrks.clear()


def _listen(address: str, port: int) -> socket.socket:
    """Listen at the address; raises `OSError` if its port is still taken after `PORT_TIMEOUT`."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    end = time.monotonic() + PORT_TIMEOUT
    while True:
        try:
            return socket.create_server((address, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > end:
                raise
        time.sleep(0.02)


def connection_capacity() -> int:
    """Connections per process, limited by RLIMIT_NOFILE, which is raised as far as possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + RESERVED_DESCRIPTORS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted - RESERVED_DESCRIPTORS, wanted // 2)


def _drain_and_end(leaving: list[WorkerProcess]) -> None:
    """Drain the processes: close keep-alive connections, finish requests, end."""
    if [worker for worker in leaving if _request_drain(worker)]:
        time.sleep(DRAIN_SECONDS)
    for worker in leaving:
        worker.terminate()
    end = time.monotonic() + LAST_ANSWERS_SECONDS
    for worker in leaving:
        worker.join(max(end - time.monotonic(), 0.001))
        worker.kill()
        worker.join()


def _request_drain(worker: WorkerProcess) -> bool:
    lives: bool = worker.is_alive()
    if lives:
        worker.interrupt_by_parent = True
        with suppress(ProcessLookupError):
            os.kill(worker.inner.pid, signal.SIGUSR1)
    return lives


def load_app(address: str, port: int, capacity: int, serving: Any) -> Any:
    """Build the application in a server process; SIGUSR1 makes it drain."""
    reserve_space()
    # Imported here, so that a replaced process loads the code as it is now.
    app = import_module("api.app").create_app(address)
    signal.signal(signal.SIGUSR1, lambda *_: app.start_draining())
    connections = IdleConnections(app, port, capacity)
    connections.watch()
    serving.set()
    return connections


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Serve the API; SIGHUP replaces its processes.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--insecure", action="store_true", help="serve callers without a key beyond loopback, too"
    )
    given = parser.parse_args()
    if given.insecure:  # processes of the server read it, too
        os.environ["PREDICTQ_INSECURE"] = "1"
    try:
        anonymous_caller(given.host, Settings.from_environment())
    except ValueError as error:
        parser.error(str(error))
    Server(given.host, given.port, given.processes).run()


if __name__ == "__main__":
    main()
