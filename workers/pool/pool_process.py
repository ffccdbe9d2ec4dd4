"""The worker's handle on one pool process: starting, free, busy with a microbatch, or gone."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from threading import Thread

from tasks.time_limits import MAX_RUN_SECONDS
from workers.pool.fork_server_client import STALL_SECONDS
from workers.protocol import Done, LoadCost, Microbatch, Ready, Step, framed, receive

Finished = Callable[[Done | None], None]


class PoolProcess:
    """A pool process. It is ready once it has sent `Ready` with the versions that it holds."""

    def __init__(self, connection: socket.socket, loads_at_fork: int) -> None:
        connection.settimeout(STALL_SECONDS)
        self._connection = connection
        self._finished: Finished | None = None
        self._busy_since = 0.0
        self._limit: float = MAX_RUN_SECONDS
        self.loads_at_fork = loads_at_fork
        """Number of loads that the fork server had finished when it forked this process."""
        self._is_ending = False
        self.pid: int | None = None
        """Process id; None until the process is ready."""
        self.frozen = False
        """Whether the worker killed it because its own time limit did not."""
        self.held: dict[str, LoadCost] = {}

    def fileno(self) -> int:
        """File descriptor of the connection, for `select` and event loops."""
        return self._connection.fileno()

    @property
    def busy(self) -> bool:
        """Whether it is computing."""
        return self._finished is not None

    @property
    def is_ready(self) -> bool:
        """Whether it has said that it can compute."""
        return self.pid is not None

    @property
    def idle(self) -> bool:
        """Whether it is ready and free; not if it was killed or ends, which is noticed later."""
        return self.is_ready and not self.busy and not self._is_ending

    @property
    def busy_seconds(self) -> float:
        """Seconds since it was given its present work; 0 if it has none."""
        return time.monotonic() - self._busy_since if self.busy else 0.0

    def take(self, work: Microbatch | Step, finished: Finished) -> None:
        """Start a microbatch or step; ``finished`` gets its `Done`, or None if the process died."""
        self._finished, self._busy_since = finished, time.monotonic()
        # The process itself limits the requests of a microbatch, each by its own limit.
        self._limit = work.item.limit if isinstance(work, Step) else MAX_RUN_SECONDS
        content = framed(work)
        # Returns at once, although the socket has a timeout: a free process has read all that was
        # sent, so some of the frame fits into the buffer.
        try:
            sent = self._connection.send(content)
        except OSError:  # it died just now; `hear` will notice
            self.kill()
            return
        if sent < len(content):
            # A large frame, or a frozen process that reads nothing, must not block the event loop.
            rest = memoryview(content)[sent:]
            Thread(target=self._send, args=(rest,), name="sending", daemon=True).start()

    def hear(self) -> bool:
        """Handle the next frame from the process; False once it is gone."""
        try:
            said = receive(self._connection)
        except OSError:
            said = None
        match said:
            case Ready(pid, held):
                self.pid, self.held = pid, held
            case Done():
                self._is_ending |= said.is_last
                self._finish(said)
            case _:
                self._finish(None)
        return said is not None

    def end_overdue(self, grace: float) -> None:
        """Kill the process if it has computed ``grace`` seconds longer than its limit."""
        if self.busy_seconds > self._limit + grace:
            self.frozen = True
            self.kill()

    def hang_up(self) -> None:
        """Close the connection; the process ends after its current work."""
        self._connection.close()

    def kill(self) -> None:
        """Kill the process, if it is ready."""
        if self.pid is not None:
            self._is_ending = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _send(self, rest: memoryview) -> None:
        try:
            self._connection.sendall(rest)
        except OSError:  # it has read nothing for `STALL_SECONDS`, or died
            self.kill()

    def _finish(self, done: Done | None) -> None:
        finished, self._finished = self._finished, None
        if finished is not None:
            finished(done)
