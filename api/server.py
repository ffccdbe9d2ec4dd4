"""Serves the API over one socket that outlives its processes: SIGHUP replaces them under load.

`python -m api.server --port 5000`
"""

import argparse
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

from telemetry.shared import take_room

BACKLOG = 1024
"""Connections that wait for a process."""
MOST_CONNECTIONS = 4096
"""Connections that a process holds, idle ones too; further ones wait in the backlog."""
KEPT_FREE = 512
"""File descriptors that are left for all but connections: Redis, files, the registry."""
KEEP_ALIVE_MS = 15_000
"""Milliseconds that a client may take for a request's head, and until the next one begins."""
UNREAD = 60_000
"""Milliseconds for which a client may take nothing of what was sent; then its connection ends."""
MAX_SERVER_HEAD_BYTES = 2**16
"""Bytes of a head that granian holds; the entrance takes half of it, and says why."""
START_TIMEOUT = 60.0
"""Seconds that a new process may take until it serves."""
FAREWELL = 1.0
"""Seconds in which a leaving process tells those who keep a connection to close it."""
LAST_ANSWERS = 10
"""Seconds for what is being answered; then a leaving process is killed."""


class Server(MPServer):  # type: ignore[misc]  # granian's types are not followed
    """Granian's, but its processes share a socket that stays open while one follows another.

    Granian gives each process a socket of its own; what waits there when it ends is refused.
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
            backpressure=room_for_connections(),
            respawn_failed_workers=True,
            workers_kill_timeout=LAST_ANSWERS,
        )
        self._born = multiprocessing.Event()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        self.serve(target_loader=partial(load, self.bind_addr, self._born), wrap_loader=False)

    def _init_shared_socket(self) -> None:
        family = socket.AF_INET6 if ":" in self.bind_addr else socket.AF_INET
        self._sso = socket.create_server(
            (self.bind_addr, self.bind_port), family=family, backlog=BACKLOG
        )
        # Connections inherit it; else an answer's end waits 40 ms for its head's acknowledgement.
        self._sso.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Nobody else ends a connection whose client reads nothing: no answer to it comes to an end.
        self._sso.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD)
        self._ssp, self._shd = None, SocketHolder(self._sso.fileno(), False, BACKLOG)

    def _respawn_workers(
        self, workers: Iterable[int], spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        """Put a new process in the place of each: of one that died, or of one that is to leave."""
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
            _dismiss([old])

    def _bring_up(self, new: WorkerProcess) -> bool:
        """Start it beside the old one; whether it came to serve."""
        self._born.clear()
        new.interrupt_by_parent = True  # its death would be no reason to start another
        new.start()
        end = time.monotonic() + START_TIMEOUT
        while not self._born.wait(0.1):
            if not new.is_alive() or time.monotonic() > end:
                new.kill()
                return False
        new.interrupt_by_parent = False
        return True

    def _stop_workers(self) -> None:
        _dismiss(self.wrks)
        self.wrks.clear()


def room_for_connections() -> int:
    """How many a process may hold, by the file descriptors that the system lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + KEPT_FREE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted - KEPT_FREE, wanted // 2)


def _dismiss(leaving: list[WorkerProcess]) -> None:
    """Let them say goodbye, answer what they were asked, and end."""
    if [worker for worker in leaving if _tell(worker)]:
        time.sleep(FAREWELL)
    for worker in leaving:
        worker.terminate()
    end = time.monotonic() + LAST_ANSWERS
    for worker in leaving:
        worker.join(max(end - time.monotonic(), 0.001))
        worker.kill()
        worker.join()


def _tell(worker: WorkerProcess) -> bool:
    lives: bool = worker.is_alive()
    if lives:
        worker.interrupt_by_parent = True
        with suppress(ProcessLookupError):
            os.kill(worker.inner.pid, signal.SIGUSR1)
    return lives


def load(address: str, born: Any) -> Any:
    """The application, in a process that serves it from now on and leaves on SIGUSR1."""
    take_room()
    # Not imported above: each process reads the code as it is when that process starts.
    app = import_module("api.app").create_app(address)
    signal.signal(signal.SIGUSR1, lambda *_: app.leave())
    born.set()
    return app


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Serve the API; SIGHUP replaces its processes.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    Server(given.host, given.port, given.processes).run()


if __name__ == "__main__":
    main()
