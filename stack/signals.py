"""Signals as something that a loop waits for: which came, and whether one asked to end."""

import select
import signal
import socket
from contextlib import suppress
from typing import Self


class Signals:
    """Signals as something to wait for, so that no code of ours runs inside a handler."""

    ending = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})

    def __init__(self) -> None:
        self.replacing = False
        """Whether SIGUSR1 came since somebody set this to false."""

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        # SIGCHLD only wakes; SIGUSR1 asks for new processes.
        # A hang-up that nohup told us to ignore stays ignored.
        taken = {
            s for s in self.ending if s != signal.SIGHUP or signal.getsignal(s) != signal.SIG_IGN
        }
        self._handlers = {
            s: signal.signal(s, lambda *_: None) for s in taken | {signal.SIGCHLD, signal.SIGUSR1}
        }
        self._wakeup = signal.set_wakeup_fd(self._writer.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float) -> bool:
        """Wait until any signal arrives; say whether one asked to end."""
        select.select([self._reader], [], [], seconds)
        with suppress(BlockingIOError):
            received = self._reader.recv(4096)
            self.replacing |= signal.SIGUSR1 in received
            return not self.ending.isdisjoint(received)
        return False
