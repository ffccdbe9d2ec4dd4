"""One process of the pool, as the worker sees it: free, busy with a batch, or gone."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from threading import Thread

from tasks.time_limits import LONGEST_RUN
from workers.pool.fork_server_client import STALL
from workers.pool.protocol import Done, Microbatch, Ready, Step, framed, receive

Finished = Callable[[Done | None], None]


class PoolProcess:
    """Born once it has said so, with the versions that it holds."""

    def __init__(self, connection: socket.socket, born_after: int) -> None:
        connection.settimeout(STALL)
        self._connection = connection
        self._finished: Finished | None = None
        self._busy_since = 0.0
        self._limit: float = LONGEST_RUN
        self.born_after = born_after
        """How many loads of the fork server it was born with."""
        self.pid = 0
        """0 until it is born."""
        self.frozen = False
        """Whether it was ended because it did not heed its own time limit."""
        self.held: frozenset[str] = frozenset()

    def fileno(self) -> int:
        """Of the connection, for whoever waits on several."""
        return self._connection.fileno()

    @property
    def busy(self) -> bool:
        """Whether it computes."""
        return self._finished is not None

    @property
    def idle(self) -> bool:
        """Whether it could start at once."""
        return bool(self.pid) and not self.busy

    def take(self, batch: Microbatch | Step, finished: Finished) -> None:
        """Start a batch; `finished` is told its end, None where the process died of it."""
        self._finished, self._busy_since = finished, time.monotonic()
        self._limit = batch.item.limit if isinstance(batch, Step) else LONGEST_RUN
        content = framed(batch)
        try:
            sent = self._connection.send(content)
        except OSError:  # it died just now: its end is heard like any other
            self.kill()
            return
        if sent < len(content):
            # A process that is frozen does not read, and for that nobody else must wait.
            rest = memoryview(content)[sent:]
            Thread(target=self._send, args=(rest,), name="sending", daemon=True).start()

    def hear(self) -> bool:
        """Take in what it says; False once it is gone."""
        try:
            said = receive(self._connection)
        except OSError:
            said = None
        match said:
            case Ready(pid, held):
                self.pid, self.held = pid, frozenset(held)
            case Done():
                self._finish(said)
            case _:
                self._finish(None)
        return said is not None

    def end_overdue(self, grace: float) -> None:
        """End it if it has computed for so many seconds more than it may."""
        if self.busy and time.monotonic() - self._busy_since > self._limit + grace:
            self.frozen = True
            self.kill()

    def hang_up(self) -> None:
        """It ends once it has finished what it does."""
        self._connection.close()

    def kill(self) -> None:
        """It ends at once."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _send(self, rest: memoryview) -> None:
        try:
            self._connection.sendall(rest)
        except OSError:  # it does not read at all, or died
            self.kill()

    def _finish(self, done: Done | None) -> None:
        finished, self._finished = self._finished, None
        if finished is not None:
            finished(done)
