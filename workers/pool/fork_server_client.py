"""The fork server as the worker sees it: asked for processes and for versions to be held."""

import contextlib
import logging
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable

from tasks.time_limits import LONGEST_RUN
from telemetry.logs import of_version
from workers.pool.protocol import Ended, Fork, Load, Loaded, Loading, datagram, parse

log = logging.getLogger(__name__)
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")
}
"""The pool is the parallelism; and what has threads cannot be forked."""
NO_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Nor may Arrow start one when it is imported, which pandas does."""
ONE_HEAP = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
"""What Arrow frees NumPy takes, and the other way round; new pages are what costs most."""
STALL = 30.0
"""Seconds that it may take to read a command."""
STOP_GRACE = 5.0
"""Seconds for it to end in, once nothing is computed."""


class ForkServerClient:
    """Starts the fork server, which ends when this is closed."""

    def __init__(self, lane: str, never: Iterable[str] = ()) -> None:
        """``lane``: the queue that is served; ``never``: versions that ended one like it."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(STALL)
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "workers.pool.fork_server"),
                    *(str(theirs.fileno()), lane, *sorted(never)),
                ],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **ONE_THREAD, **NO_THREAD, **ONE_HEAP},
            )
        self._asked: set[str] = set()
        self.at_work_on: str | None = None
        """The version that it loads at this moment."""
        self._at_work_since = 0.0
        self.hung_on: str | None = None
        """The version for which it was ended, since loading that took too long."""

    def fileno(self) -> int:
        """Of the connection, for whoever waits on several."""
        return self._control.fileno()

    def fork(self) -> socket.socket:
        """Ask for a process; gives the connection to it, closed by the other side if none comes."""
        ours, theirs = socket.socketpair()
        with theirs, contextlib.suppress(OSError):
            socket.send_fds(self._control, [datagram(Fork())], [theirs.fileno()])
        return ours

    def load(self, reference: str) -> None:
        """Ask it to hold a version, unless it was asked already.

        While it loads it reads nothing. Once no more can lie there unread, a version is asked for
        another time: the batcher does so for as long as something waits for it.
        """
        if reference not in self._asked and self._has_room():
            with contextlib.suppress(OSError):
                self._control.send(datagram(Load(reference)))
                self._asked.add(reference)

    def hear(self) -> Loaded | Loading | Ended | None:
        """What it says; None once it is gone."""
        try:
            content = self._receive()
        except OSError:
            return None
        frame: Loaded | Loading | Ended | None = parse(content) if content else None
        match frame:
            case Loading(reference):
                self.at_work_on, self._at_work_since = reference, time.monotonic()
            case Loaded(reference):
                self._asked.discard(reference)
        return frame

    def _has_room(self) -> bool:
        return bool(select.select([], [self._control], [], 0)[1])

    def _receive(self) -> bytes:
        try:
            return self._control.recv(2**16)
        except ConnectionResetError:  # it died with commands unread; what it said stands behind
            return self._control.recv(2**16)

    def end_overdue(self) -> None:
        """End it if one load takes longer than anything may: nobody is born meanwhile."""
        if self.at_work_on and time.monotonic() - self._at_work_since > LONGEST_RUN:
            fields = of_version(self.at_work_on)
            log.error("loading a version takes more than %s s", LONGEST_RUN, extra=fields)
            self.hung_on = self.at_work_on
            self._process.kill()

    def close(self) -> None:
        """Hang up, and wait for its end; it ends after the processes that it made."""
        self._control.close()
        try:
            self._process.wait(STOP_GRACE)
        except subprocess.TimeoutExpired:
            log.warning("processes of the pool still compute; they end by themselves")
