"""The worker's handle on its fork server: starts it, asks it to fork and to load versions."""

import contextlib
import logging
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable

from tasks.time_limits import MAX_RUN_SECONDS
from telemetry.logs import of_version
from workers.protocol import (
    Fork,
    FromForkServer,
    Loaded,
    Loading,
    LoadVersion,
    Unloaded,
    UnloadVersion,
    datagram,
    parse_frame,
)

log = logging.getLogger(__name__)
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")
}
"""Native libraries compute in one thread: the pool is the parallelism, and a process with threads
cannot be forked safely."""
NO_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Keeps Arrow from starting a thread when pandas imports it."""
ONE_HEAP = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
"""Makes Arrow and NumPy share one heap, so that each reuses what the other frees. Fresh memory
pages are the largest cost of an allocation."""
STALL_SECONDS = 30.0
"""Seconds that the fork server, or a pool process, may take to read a command."""
STOP_GRACE = 5.0
"""Seconds that fork servers may take to end once nothing is being computed."""


def _program(environment_of: str | None) -> list[str]:
    if environment_of:
        return [sys.executable, "-m", "workers.environments.launching", environment_of]
    return [sys.executable, "-m", "workers.pool.fork_server"]


class ForkServerClient:
    """Starts a fork server, which ends when this client is closed."""

    def __init__(
        self, queue: str, never: Iterable[str] = (), environment_of: str | None = None
    ) -> None:
        """``queue``: the worker's queue; ``never``: versions that the fork server must not load.

        ``environment_of``: a version in whose environment it runs; None for the worker's own.
        """
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(STALL_SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [
                    *_program(environment_of),
                    *(str(theirs.fileno()), queue, *sorted(never)),
                ],
                pass_fds=[theirs.fileno()],
                # Libraries read these when they are imported, so the fork server cannot set them
                # for itself.
                env={**os.environ, **ONE_THREAD, **NO_THREAD, **ONE_HEAP},
            )
        self._asked: set[str] = set()
        self._forgetting: set[str] = set()
        self.loading: str | None = None
        """The version that the fork server is loading."""
        self._loading_since = 0.0
        self.hung_load: str | None = None
        """The version whose loading took too long, so that the fork server was killed."""

    def fileno(self) -> int:
        """File descriptor of the control socket, for `select` and event loops."""
        return self._control.fileno()

    @property
    def pid(self) -> int:
        """Process id of the fork server."""
        return self._process.pid

    def fork(self) -> socket.socket:
        """Ask for a process and return our end of its connection.

        If no process comes, the other end is closed.
        """
        ours, theirs = socket.socketpair()
        # `theirs` is closed here also after a failure: then `ours` reads as the end of a process,
        # and the pool handles it as one that died.
        with theirs, contextlib.suppress(OSError):
            socket.send_fds(self._control, [datagram(Fork())], [theirs.fileno()])
        return ours

    def load(self, reference: str) -> None:
        """Ask the fork server to load a version, unless it was asked already.

        The fork server reads no commands while it loads. If its socket buffer is full the request
        is dropped; the batcher repeats it as long as messages wait for the version.
        """
        if reference not in self._asked and self._can_send():
            with contextlib.suppress(OSError):
                self._control.send(datagram(LoadVersion(reference)))
                self._asked.add(reference)

    def unload(self, reference: str) -> None:
        """Ask the fork server to forget a version, as `load` asks."""
        if reference not in self._forgetting and self._can_send():
            with contextlib.suppress(OSError):
                self._control.send(datagram(UnloadVersion(reference)))
                self._forgetting.add(reference)

    def hear(self) -> FromForkServer | None:
        """The fork server's next frame; None once it has ended."""
        try:
            content = self._receive()
        except OSError:
            return None
        frame: FromForkServer | None = parse_frame(content) if content else None
        match frame:
            case Loading(reference):
                self.loading, self._loading_since = reference, time.monotonic()
            case Loaded(reference):
                self._asked.discard(reference)
            case Unloaded(reference):
                self._forgetting.discard(reference)
        return frame

    def _can_send(self) -> bool:
        is_open = self._control.fileno() >= 0
        return is_open and bool(select.select([], [self._control], [], 0)[1])

    def _receive(self) -> bytes:
        try:
            return self._control.recv(2**16)
        except ConnectionResetError:
            # It died with commands unread. What it had sent before can be read after the reset.
            return self._control.recv(2**16)

    def end_overdue(self) -> None:
        """Kill the fork server if a load exceeds `MAX_RUN_SECONDS`: it blocks all forks."""
        if self.loading and time.monotonic() - self._loading_since > MAX_RUN_SECONDS:
            fields = of_version(self.loading)
            log.error("loading a version takes more than %s s", MAX_RUN_SECONDS, extra=fields)
            self.hung_load = self.loading
            self._process.kill()

    def hang_up(self) -> None:
        """Close the connection. The fork server ends after its pool processes."""
        self._control.close()

    def close(self, grace: float = STOP_GRACE) -> None:
        """Hang up, and kill the fork server if it has not ended within ``grace`` seconds.

        It may be in a load that hangs. Pool processes that still compute go on without it.
        """
        self.hang_up()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            log.warning("a fork server did not end when it was told to, and is killed")
            self._process.kill()
            self._process.wait()
